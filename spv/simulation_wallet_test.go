package spv_test

import (
	"context"
	"maps"
	"slices"
	"sync"

	"dcrspv/filters"
	"dcrspv/spv"
	"dcrspv/spv/chain"
	"dcrspv/spv/spvtest"

	"github.com/decred/dcrd/wire"
)

// modelWallet is a wallet that keeps the blocks it was given and computes its
// coins from them only when asked. Every script has a ledger of its own of what
// it was tested on. It outlives restarts of the Syncer.
type modelWallet struct {
	mu          sync.Mutex
	watches     []*watch
	ends        map[uint32]chain.BlockID // where batches ended
	matched     map[uint32]spv.Block
	disapproved map[uint32]bool
	changed     chan struct{}
}

type watch struct {
	script  []byte
	from    uint32
	covered chain.Ranges
}

// maxModelScan is the longest range that modelWallet asks for.
const maxModelScan = 700

func newModelWallet() *modelWallet {
	return &modelWallet{
		ends:        make(map[uint32]chain.BlockID),
		matched:     make(map[uint32]spv.Block),
		disapproved: make(map[uint32]bool),
		changed:     make(chan struct{}, 1),
	}
}

func (m *modelWallet) watch(from uint32, scripts ...[]byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, script := range scripts {
		m.watches = append(m.watches, &watch{script: script, from: from})
	}
	select {
	case m.changed <- struct{}{}:
	default:
	}
}

func (m *modelWallet) scripts() (all [][]byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, w := range m.watches {
		all = append(all, w.script)
	}
	return all
}

func (m *modelWallet) Network() wire.CurrencyNet { return wire.SimNet }

func (m *modelWallet) Locator(ctx context.Context) ([]chain.BlockID, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var ids []chain.BlockID
	for _, h := range slices.Sorted(maps.Keys(m.ends)) {
		ids = append(ids, m.ends[h])
	}
	slices.Reverse(ids)
	return ids, nil
}

func (m *modelWallet) Rewind(ctx context.Context, to chain.BlockID) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	maps.DeleteFunc(m.ends, func(h uint32, _ chain.BlockID) bool { return h > to.Height })
	m.ends[to.Height] = to // its blocks up to here are kept, and have to be told of
	maps.DeleteFunc(m.matched, func(h uint32, _ spv.Block) bool { return h > to.Height })
	// What the block after it voted is not known any more.
	maps.DeleteFunc(m.disapproved, func(h uint32, _ bool) bool { return h >= to.Height })
	for _, w := range m.watches {
		w.covered = w.covered.Remove(chain.Range{From: to.Height + 1, To: ^uint32(0)})
	}
	return nil
}

func (m *modelWallet) Birthday() (height uint32, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, w := range m.watches {
		if !ok || w.from < height {
			height, ok = w.from, true
		}
	}
	return height, ok
}

func (m *modelWallet) NextScan(ctx context.Context, limit uint32) (spv.Scan, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	owed := make([]chain.Ranges, len(m.watches))
	var first chain.Range
	found := false
	for i, w := range m.watches {
		if w.from > limit {
			continue
		}
		owed[i] = w.covered.Missing(chain.Range{From: w.from, To: limit})
		if len(owed[i]) > 0 && (!found || owed[i][0].From < first.From) {
			first, found = owed[i][0], true
		}
	}
	if !found {
		return spv.Scan{}, false, nil
	}
	// As far as the same scripts are owed it.
	first.To = min(first.To, first.From+maxModelScan-1)
	var scripts [][]byte
	var groups []uint64
	for i, missing := range owed {
		switch {
		case missing.Contains(first.From):
			first.To = min(first.To, missing[0].To)
			scripts = append(scripts, m.watches[i].script)
			groups = append(groups, uint64(i))
		case len(missing) > 0:
			first.To = min(first.To, missing[0].From-1)
		}
	}
	return spv.Scan{Range: first, Query: filters.NewQuery(scripts), Groups: groups}, true, nil
}

func (m *modelWallet) Apply(ctx context.Context, b spv.Batch) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := b.Scan.Range
	for _, block := range b.Blocks {
		m.matched[block.ID.Height] = block
	}
	for h := max(r.From, 1) - 1; h < r.To; h++ {
		delete(m.disapproved, h)
	}
	for _, h := range b.Disapproved {
		m.disapproved[h] = true
	}
	for _, i := range b.Scan.Groups {
		m.watches[i].covered = m.watches[i].covered.Add(r)
	}
	m.ends[b.End.Height] = b.End
	return nil
}

func (m *modelWallet) Changed() <-chan struct{} { return m.changed }

func (m *modelWallet) Scanned(limit uint32) (from, through uint32, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i, w := range m.watches {
		t, covers := w.covered.Through(w.from)
		if !covers {
			return 0, 0, false
		}
		if i == 0 {
			from, through = w.from, t
		}
		from, through = min(from, w.from), min(through, t)
	}
	return from, min(through, limit), len(m.watches) > 0
}

func (m *modelWallet) Unscanned(limit uint32) (owed uint32) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, w := range m.watches {
		if w.from <= limit {
			owed = max(owed, count(w.covered.Missing(chain.Range{From: w.from, To: limit})))
		}
	}
	return owed
}

// outpoint is an output without its tree, which its hash implies.
type outpoint struct {
	hash  [32]byte
	index uint32
}

// wrong compares the coins that follow from the blocks with the truth. It
// returns what is wrong, or "".
func (m *modelWallet) wrong(truth spvtest.Truth) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	watched := make(map[string]bool)
	for _, w := range m.watches {
		watched[string(w.script)] = true
	}
	coins := make(map[outpoint]int64)
	take := func(txs []*wire.MsgTx) {
		for _, tx := range txs {
			for _, in := range tx.TxIn {
				delete(coins, outpoint{in.PreviousOutPoint.Hash, in.PreviousOutPoint.Index})
			}
			for i, out := range tx.TxOut {
				if watched[string(out.PkScript)] {
					coins[outpoint{tx.TxHash(), uint32(i)}] = out.Value
				}
			}
		}
	}
	for _, h := range slices.Sorted(maps.Keys(m.matched)) {
		block := m.matched[h]
		if !m.disapproved[h] {
			take(block.Msg.Transactions)
		}
		take(block.Msg.STransactions)
	}
	return differs(coins, truth)
}

func differs(coins map[outpoint]int64, truth spvtest.Truth) string {
	for _, c := range truth.Coins {
		key := outpoint{c.OutPoint.Hash, c.OutPoint.Index}
		amount, ok := coins[key]
		delete(coins, key)
		switch {
		case !ok:
			return "a coin is missing: " + c.OutPoint.String()
		case amount != c.Amount:
			return "a coin has another amount: " + c.OutPoint.String()
		}
	}
	if len(coins) > 0 {
		return "there are coins that are spent or never were"
	}
	return ""
}
