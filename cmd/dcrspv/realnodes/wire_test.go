package realnodes

import (
	"context"
	"testing"

	"dcrspv/spv"

	"github.com/decred/dcrd/chaincfg/v3"
	"github.com/decred/dcrd/wire"
)

// testWire fetches the chain of one node with and without batches of filters. Either way
// everything is there and fits its header, so it is the same.
func testWire(t *testing.T, n *network) {
	batches := (int(n.Tip.Height) + 1 + wire.MaxCFiltersV2PerBatch - 1) / wire.MaxCFiltersV2PerBatch
	for _, c := range []struct {
		maxProtocol      uint32
		fewest, requests int // for filters
	}{
		{0, batches - 1, batches},
		{wire.BatchedCFiltersV2Version - 1, int(n.Tip.Height), int(n.Tip.Height) + 1},
	} {
		st, report := fetch(t, n.P2P[0], c.maxProtocol)
		if r := st.Requests.Filters; r < c.fewest || r > c.requests {
			t.Errorf("protocol %d: %d requests for filters, want %d to %d", c.maxProtocol, r, c.fewest, c.requests)
		}
		if report.Tip.Hash.String() != n.Tip.Hash || report.Headers != n.Tip.Height+1 || report.Filters != report.Headers || report.Committed < report.Filters-1 {
			t.Errorf("protocol %d: %+v, the node is at %+v", c.maxProtocol, report, n.Tip)
		}
	}
}

// fetch gets headers and filters from a node and checks what was stored.
func fetch(t *testing.T, addr string, maxProtocol uint32) (spv.Status, spv.ChainReport) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cfg := spv.Config{
		Params: chaincfg.SimNetParams(), DataDir: t.TempDir(), Connect: []string{addr}, MaxProtocol: maxProtocol,
	}
	syncer, err := spv.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	running, stop := context.WithCancel(ctx)
	go func() { ended <- syncer.Run(running) }()
	err = syncer.Wait(ctx, spv.Synced)
	st := syncer.Status()
	stop()
	if runErr := <-ended; err != nil || runErr != nil {
		t.Fatal(err, runErr)
	}
	if err := syncer.Close(); err != nil {
		t.Fatal(err)
	}

	if syncer, err = spv.New(cfg); err != nil {
		t.Fatal(err)
	}
	defer syncer.Close()
	report, err := syncer.Verify(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	return st, report
}
