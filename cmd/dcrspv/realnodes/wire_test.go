package realnodes

import (
	"bytes"
	"context"
	"net"
	"testing"

	"dcrspv/spv/chain"
	"dcrspv/spv/peer"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/chaincfg/v3"
	"github.com/decred/dcrd/wire"
)

// fetched is all there is of a chain above genesis.
type fetched struct {
	headers []chain.Header
	filters [][]byte
	stats   peer.Stats
}

// testWire fetches the chain of one node with and without batches of filters.
// Either way everything must be there, fit its header, and be the same.
func testWire(t *testing.T, n *network) {
	batched := fetch(t, n.P2P[0], 0)
	single := fetch(t, n.P2P[0], wire.BatchedCFiltersV2Version-1)
	if got := uint32(len(batched.headers)); got != n.Tip.Height {
		t.Fatalf("%d headers, the node is at %d", got, n.Tip.Height)
	}
	batches := (int64(n.Tip.Height) + wire.MaxCFiltersV2PerBatch - 1) / wire.MaxCFiltersV2PerBatch
	if s := batched.stats; s.GetCFsV2 != batches || s.GetCFilterV2 != 0 {
		t.Errorf("batched: %+v, want %d batches", s, batches)
	}
	if s := single.stats; s.GetCFsV2 != 0 || s.GetCFilterV2 != int64(n.Tip.Height) {
		t.Errorf("one by one: %+v, want %d requests", s, n.Tip.Height)
	}
	for i := range batched.headers {
		if batched.headers[i] != single.headers[i] || !bytes.Equal(batched.filters[i], single.filters[i]) {
			t.Fatalf("block %d is not the same in both ways", i+1)
		}
	}
}

// fetch gets headers, filters and blocks from a node and checks each.
func fetch(t *testing.T, addr string, maxPVer uint32) (f fetched) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	params := chaincfg.SimNetParams()
	rules := chain.NewRules(params)
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	p, err := peer.Handshake(ctx, conn, addr, &peer.Config{
		Params: params, UserAgentName: "dcrspv", UserAgentVersion: "0.0.0", MaxPVer: maxPVer,
	})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx, deaf{}) }()
	defer func() {
		f.stats = p.Stats()
		p.Close(nil)
		<-ended
	}()

	_, genesis := rules.Genesis()
	f.headers, err = p.Headers(ctx, []chainhash.Hash{genesis.Hash}, chainhash.Hash{})
	if err != nil {
		t.Fatal(err)
	}
	batch, err := rules.Check(f.headers)
	if err != nil {
		t.Fatal(err)
	}
	for from := 0; from < len(batch.Hashes); from += wire.MaxCFiltersV2PerBatch {
		to := min(from+wire.MaxCFiltersV2PerBatch, len(batch.Hashes))
		filters, err := p.Filters(ctx, batch.Hashes[from:to])
		if err != nil {
			t.Fatalf("filters from %d: %v", from, err)
		}
		f.filters = append(f.filters, filters...)
	}
	for i, filter := range f.filters {
		if err := rules.CheckFilter(&f.headers[i], filter); err != nil {
			t.Fatal(err)
		}
	}
	err = p.Blocks(ctx, batch.Hashes, func(i int, b *wire.MsgBlock) error {
		return rules.CheckBlock(&f.headers[i], b)
	})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// deaf is a peer.Handler that takes no interest in anything.
type deaf struct{}

func (deaf) Headers([]chain.Header)    {}
func (deaf) Inv([]*wire.InvVect)       {}
func (deaf) GetData([]*wire.InvVect)   {}
func (deaf) Addrs([]string)            {}
func (deaf) Tx(*wire.MsgTx)            {}
func (deaf) NotFound([]chainhash.Hash) {}
