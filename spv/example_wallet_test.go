package spv_test

import (
	"bytes"
	"context"
	"fmt"
	"log"
	"os"
	"slices"
	"sync"

	"dcrspv/filters"
	"dcrspv/spv"
	"dcrspv/spv/chain"
	"dcrspv/spv/spvtest"

	"github.com/decred/dcrd/chaincfg/v3"
	"github.com/decred/dcrd/wire"
)

// donations is a wallet of our own, the smallest that is right: it adds up what one
// script was paid. It lives in memory, so it begins anew with each start.
type donations struct {
	script []byte
	query  *filters.Query

	mu    sync.Mutex
	ends  []chain.BlockID // of the batches so far, the newest last
	paid  []donation      // by height
	never chan struct{}   // what is watched does not change
}

// donation is an output that pays the script.
type donation struct {
	height uint32
	atoms  int64
	void   bool // the votes of the next block undo the transactions of this one
}

func newDonations(script []byte) *donations {
	return &donations{script: script, query: filters.NewQuery([][]byte{script}), never: make(chan struct{})}
}

// through is the height up to which all blocks were tested.
func (d *donations) through() uint32 {
	if len(d.ends) == 0 {
		return 0
	}
	return d.ends[len(d.ends)-1].Height
}

// NextScan says what is missing: all blocks above the last batch.
func (d *donations) NextScan(ctx context.Context, limit uint32) (spv.Scan, bool, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	from := d.through() + 1
	if from > limit {
		return spv.Scan{}, false, nil
	}
	return spv.Scan{Range: chain.Range{From: from, To: limit}, Query: d.query}, true, nil
}

// Apply takes the blocks that match. A filter may be wrong, so each is looked through.
// The range may end sooner than we had asked for.
func (d *donations) Apply(ctx context.Context, b spv.Batch) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, block := range b.Blocks {
		for _, tx := range block.Msg.Transactions {
			for _, out := range tx.TxOut {
				if out.Version == 0 && bytes.Equal(out.PkScript, d.script) {
					d.paid = append(d.paid, donation{block.ID.Height, out.Value, block.Disapproved})
				}
			}
		}
	}
	// The last block of the batch before may be among these.
	for i := range d.paid {
		d.paid[i].void = d.paid[i].void || slices.Contains(b.Disapproved, d.paid[i].height)
	}
	d.ends = append(d.ends, b.End)
	return nil
}

// Rewind forgets blocks that are no longer part of the chain.
func (d *donations) Rewind(ctx context.Context, to chain.BlockID) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	for len(d.ends) > 0 && d.through() > to.Height {
		d.ends = d.ends[:len(d.ends)-1]
	}
	if d.through() < to.Height {
		d.ends = append(d.ends, to)
	}
	d.paid = slices.DeleteFunc(d.paid, func(p donation) bool { return p.height > to.Height })
	for i := range d.paid {
		// Who had disapproved of the last block left is gone.
		d.paid[i].void = d.paid[i].void && d.paid[i].height < to.Height
	}
	return nil
}

// Locator shows which blocks were tested, so that the Syncer sees where they leave the
// chain.
func (d *donations) Network() wire.CurrencyNet { return wire.SimNet }

func (d *donations) Locator(ctx context.Context) ([]chain.BlockID, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	ids := slices.Clone(d.ends)
	slices.Reverse(ids)
	return ids, nil
}

// Birthday is from where on filters are needed.
func (d *donations) Birthday() (uint32, bool) { return 1, true }

// Changed would tell that something else is watched.
func (d *donations) Changed() <-chan struct{} { return d.never }

// Scanned and Unscanned are for display.
func (d *donations) Scanned(limit uint32) (from, through uint32, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return 1, min(d.through(), limit), len(d.ends) > 0
}

func (d *donations) Unscanned(limit uint32) uint32 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return limit - min(d.through(), limit)
}

// The Syncer keeps any wallet in sync that fulfils a small interface.
func ExampleWallet() {
	c := spvtest.NewChain(nil)
	script := spvtest.Script(1)
	for atoms := int64(1e8); atoms <= 3e8; atoms += 1e8 {
		c.Mine(99)
		c.MineBlock(c.Pay(script, atoms))
	}
	net := spvtest.NewNetwork()
	defer net.Close()
	net.Add("10.0.0.1:18555", spvtest.NewPeer(c, spvtest.Behaviour{}))
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)

	d := newDonations(script)
	s, err := spv.New(spv.Config{
		DataDir: dir, Wallets: []spv.Wallet{d},
		Params: chaincfg.SimNetParams(), Connect: []string{"10.0.0.1"}, Dial: net.Dial,
	})
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	if err := s.Wait(ctx, spv.Synced); err != nil {
		log.Fatal(err)
	}
	stop()
	if err := <-ended; err != nil {
		log.Fatal(err)
	}
	for _, p := range d.paid {
		if p.void {
			continue
		}
		fmt.Printf("block %d: %d atoms\n", p.height, p.atoms)
	}

	// Output:
	// block 100: 100000000 atoms
	// block 200: 200000000 atoms
	// block 300: 300000000 atoms
}
