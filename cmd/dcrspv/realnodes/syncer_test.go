package realnodes

import (
	"context"
	"testing"

	"dcrspv/spv"

	"github.com/decred/dcrd/chaincfg/v3"
	"github.com/decred/dcrd/wire"
)

// testProtocols embeds a Syncer as a Go program does, with batches of filters
// and without, and has it follow a reorganisation.
func testProtocols(t *testing.T, n *network) {
	for _, maxProtocol := range []uint32{0, wire.BatchedCFiltersV2Version - 1} {
		at := n.tipOf(t, 0)
		s, err := spv.New(spv.Config{
			Params: chaincfg.SimNetParams(), DataDir: t.TempDir(),
			Connect: n.P2P, MaxProtocol: maxProtocol,
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		ended := make(chan error, 1)
		go func() { ended <- s.Run(ctx) }()
		if err := s.Wait(ctx, spv.Settled); err != nil {
			t.Fatalf("%v: %+v", err, s.Status())
		}
		st := s.Status()
		checkTip(t, st, at)
		// On a busy machine a node may be late, and the others are asked too.
		requests := st.Requests.Filters
		if single := requests >= int(at.Height); single != (maxProtocol != 0) || requests > len(n.P2P)*int(at.Height) {
			t.Errorf("%d requests for %d filters with protocol limit %d", requests, at.Height, maxProtocol)
		}
		n.mine(t, 3)
		at = n.reorg(t, 2)
		statuses := s.Watch(ctx)
		for !st.Synced || st.Tip.Height != at.Height {
			select {
			case st = <-statuses:
			case <-ctx.Done():
				t.Fatalf("not at %v: %+v", at, st)
			}
		}
		checkTip(t, st, at)
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

func checkTip(t *testing.T, st spv.Status, at tip) {
	t.Helper()
	if st.Tip.Height != at.Height || st.Tip.Hash.String() != at.Hash || st.Filters.Through != at.Height {
		t.Fatalf("status %+v, the node is at %v", st, at)
	}
}
