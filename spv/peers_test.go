package spv_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"dcrspv/spv"
	"dcrspv/spv/internal/registry"
	"dcrspv/spv/spvtest"

	"github.com/decred/dcrd/wire"
)

// What is no host is refused by name, changes nothing, and the next run starts.
func TestEditingPeersNeedsAHost(t *testing.T) {
	story(t, 50, func(w *world) {
		w.join(spvtest.Behaviour{})
		w.start()
		w.wait(spv.Synced)
		ctx := w.t.Context()
		for _, host := range []string{"", " ", "[]", "a b", "0.0.0.0", "999.1.1.1.", "[::1%eth0]:9108"} {
			for what, err := range map[string]error{
				"ban":   w.syncer.BanPeer(ctx, host),
				"unban": w.syncer.UnbanPeer(ctx, host),
				"reset": w.syncer.ResetPeer(ctx, host),
			} {
				if !errors.Is(err, registry.ErrAddress) || !strings.Contains(err.Error(), host) {
					t.Errorf("%s %q: %v", what, host, err)
				}
			}
		}
		w.stop()
		w.start()
		w.wait(spv.Synced)
		if peers, err := w.syncer.Peers(ctx); err != nil || len(peers) != 1 {
			t.Errorf("%+v, %v", peers, err)
		}
	})
}

// Whoever is cut off can be looked up afterwards, over a restart: when, for how
// long and why.
// Rule 14.
func TestCutsCanBeLookedUp(t *testing.T) {
	story(t, 400, func(w *world) {
		w.join(spvtest.Behaviour{RefuseConnections: true})
		w.join(silent(wire.CmdGetHeaders, wire.CmdGetCFiltersV2))
		w.join(spvtest.Behaviour{BadFilters: spvtest.FiltersFlipped, BadFilterAt: 250})
		w.join(spvtest.Behaviour{Lag: 7, RefuseConnections: true})
		w.start()
		w.pass(time.Minute)
		w.peers[0].Refuse(false)
		w.pass(time.Minute)
		w.peers[3].Refuse(false)
		w.pass(20 * time.Second)
		cuts := w.syncer.Status().CutOff
		w.stop()
		w.start()
		w.pass(0)
		for i, kind := range map[int]spv.PeerEventKind{1: spv.PeerDisconnected, 2: spv.PeerBanned, 3: spv.PeerDisconnected} {
			found := false
			for _, cut := range cuts {
				found = found || cut.Addr == w.addrs[i] && slices.ContainsFunc(w.known(i).History, func(ev spv.PeerEvent) bool {
					same := strings.Contains(cut.Reason, ev.Reason) || strings.Contains(ev.Reason, cut.Reason)
					return ev.Kind == kind && ev.Time.Equal(cut.Time) && same
				})
			}
			if !found {
				t.Errorf("peer %d of %+v: %+v", i, cuts, w.known(i).History)
			}
		}
		if h := w.known(0).History; len(h) != 0 {
			t.Errorf("of the honest one: %+v", h)
		}
	})
}
