package dcrwallet

import (
	"context"
	"fmt"

	"dcrspv/filters"
	"dcrspv/spv"
	"dcrspv/spv/chain"

	"decred.org/dcrwallet/v5/wallet"
	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/wire"
)

// catchUp has the wallet process what it has not, once the Syncer is in sync and the wallet
// has its chain. From then on the wallet is following.
func (b *Backend) catchUp(ctx context.Context, search *accountSearch) error {
	if b.Status().Stage == Following || !b.s.Status().Synced {
		return nil
	}
	tip := b.tip(ctx)
	if tip != b.s.Tip() {
		return nil // the rest of the chain is still to come
	}
	from, owes, err := b.rescanFrom(ctx, tip)
	if err != nil {
		return err
	}
	if owes {
		b.state.set(Status{Stage: Discovery, Tip: tip})
		if err := b.discover(ctx, from, tip, search.wanted); err != nil {
			return err
		}
		search.done()
	}
	if err := b.load(ctx, true); err != nil {
		return err
	}
	b.debt.add(from)
	for again := tip.Height > 0; again; {
		if err := b.rescan(ctx, from, tip); err != nil {
			return err
		}
		if again, err = b.missed(ctx, from, tip); err != nil {
			return err
		}
	}
	b.debt.clear()
	b.state.set(Status{Stage: Following, Tip: tip})
	if err := b.w.PublishUnminedTransactions(ctx, b); err != nil {
		return err
	}
	return b.askTreasury(ctx)
}

// overlap is how many blocks are rescanned at the start although the wallet has processed
// them: it may have been killed before they were tested for the addresses that they opened
// the way to.
const overlap = 24

// accountSearch is whether accounts in use are to be searched for: once, because afterwards
// the wallet may be locked.
type accountSearch struct{ wanted bool }

func (s *accountSearch) done() { s.wanted = false }

// debt is the lowest block that was not tested for every script, although the wallet may take
// it for processed: the test was given up because the chain changed.
type debt struct{ from uint32 } // 0: there is none

// add adds the blocks from a height on.
func (d *debt) add(from uint32) { d.from = d.below(from) }

// below returns a height, or that of the debt if it is lower.
func (d *debt) below(from uint32) uint32 {
	if d.from == 0 {
		return from
	}
	return min(d.from, from)
}

// clear is for when all were tested.
func (d *debt) clear() { d.from = 0 }

// rescanFrom returns the height from which on blocks are rescanned, and whether the wallet
// owes any of them.
func (b *Backend) rescanFrom(ctx context.Context, tip chain.BlockID) (from uint32, owes bool, err error) {
	from = b.debt.below(max(tip.Height, overlap+1) - overlap)
	point, err := b.w.RescanPoint(ctx)
	if point == nil || err != nil {
		return from, false, err
	}
	header, err := b.w.BlockHeader(ctx, point)
	if err != nil {
		return from, false, err
	}
	return max(min(from, header.Height), 1), true, nil
}

// load has the wallet tell what it wants to hear of. A transaction of its own that is in no
// block is among it, whatever it pays.
func (b *Backend) load(ctx context.Context, reload bool) error {
	if err := b.w.LoadActiveDataFilters(ctx, b, reload); err != nil {
		return err
	}
	txs, err := b.w.UnminedTransactions(ctx)
	if err != nil {
		return err
	}
	for _, tx := range txs {
		for _, in := range tx.TxIn {
			b.watched.add(nil, []wire.OutPoint{in.PreviousOutPoint})
		}
	}
	return nil
}

// rescan has the wallet process its blocks from one on.
func (b *Backend) rescan(ctx context.Context, from uint32, tip chain.BlockID) (err error) {
	b.watched.noNews()
	progress := make(chan wallet.RescanProgress)
	go b.w.RescanProgressFromHeight(ctx, b, int32(from), progress) // closes the channel
	b.state.set(Status{Stage: Rescan, Tip: tip, Through: from - 1})
	for p := range progress {
		if p.Err != nil {
			err = p.Err
			continue
		}
		b.state.set(Status{Stage: Rescan, Tip: tip, Through: uint32(p.ScannedThrough)})
	}
	return err
}

// missed reports whether blocks have scripts that are watched because of what the rescan
// of them has found.
func (b *Backend) missed(ctx context.Context, from uint32, tip chain.BlockID) (bool, error) {
	if err := b.load(ctx, false); err != nil {
		return false, err
	}
	q := b.watched.news()
	if q == nil {
		return false, nil
	}
	for _, err := range b.s.Scan(ctx, chain.Range{From: from, To: tip.Height}, q) {
		return err == nil, err
	}
	return false, nil
}

// Rescan calls save for each of the blocks that has transactions of the wallet. The blocks
// follow each other. If they are not on the Syncer's chain it is spv.ErrReorganized.
func (b *Backend) Rescan(ctx context.Context, blocks []chainhash.Hash, save func(*chainhash.Hash, []*wire.MsgTx) error) error {
	if len(blocks) == 0 {
		return nil
	}
	first, err := b.w.BlockHeader(ctx, &blocks[0])
	if err != nil {
		return err
	}
	r := chain.Range{From: first.Height, To: first.Height + uint32(len(blocks)) - 1}
	return b.scan(ctx, r, blocks[len(blocks)-1], b.watched.all(), func(found spv.Block) error {
		if found.ID.Hash != blocks[found.ID.Height-r.From] {
			return spv.ErrReorganized
		}
		if txs := b.watched.inBlock(found.Msg, b.w.ChainParams()); len(txs) > 0 {
			return save(&found.ID.Hash, txs)
		}
		return nil
	})
}

// scan is Syncer.Scan of the branch that ends with a block.
func (b *Backend) scan(ctx context.Context, r chain.Range, end chainhash.Hash, q *filters.Query, fn func(spv.Block) error) error {
	same := func() error {
		there, err := b.onChain(ctx, chain.BlockID{Height: r.To, Hash: end})
		if err == nil && !there {
			err = fmt.Errorf("%w: block %v", spv.ErrReorganized, end)
		}
		return err
	}
	if err := same(); err != nil {
		return err
	}
	for found, err := range b.s.Scan(ctx, r, q) {
		if err != nil {
			return err
		}
		if err := fn(found); err != nil {
			return err
		}
	}
	return same()
}
