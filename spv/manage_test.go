package spv_test

import (
	"errors"
	"strings"
	"testing"

	"dcrspv/spv"
	"dcrspv/spv/registry"
	"dcrspv/spv/spvtest"
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
