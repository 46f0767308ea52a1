package dcrwallet

import (
	"context"

	"dcrspv/filters"
	"dcrspv/spv"
	"dcrspv/spv/chain"

	"decred.org/dcrwallet/v5/wallet"
	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/math/uint256"
	"github.com/decred/dcrd/wire"
)

// pieceBlocks is how many blocks the wallet is given at a time, unless it takes more to
// have more work than what they replace.
const pieceBlocks = 2000

// advance moves the wallet to a block of the Syncer's chain. A branch with no more work
// than the wallet's own one is left alone.
func (b *Backend) advance(ctx context.Context, to chain.BlockID) error {
	fork, undone, err := b.fork(ctx)
	if err != nil || to.Height <= fork.Height {
		return err
	}
	var piece []spv.Stored
	var work uint256.Uint256
	last := fork.Hash
	for stored, err := range b.s.Read(ctx, chain.Range{From: fork.Height + 1, To: to.Height}) {
		if err == nil && stored.Header.PrevBlock() != last {
			err = spv.ErrReorganized // since the fork was looked for
		}
		if err != nil {
			return err
		}
		last = stored.ID.Hash
		piece = append(piece, stored)
		blockWork := chain.Work(stored.Header.Bits())
		work.Add(&blockWork)
		if len(piece) >= pieceBlocks && work.Gt(&undone) {
			if err := b.connect(ctx, piece); err != nil {
				return err
			}
			piece, work, undone = piece[:0], uint256.Uint256{}, uint256.Uint256{}
		}
	}
	if len(piece) == 0 {
		return nil
	}
	if !work.Gt(&undone) {
		b.cfg.Log.Infof("The chain up to %v has no more work than the wallet's", to)
		return nil
	}
	return b.connect(ctx, piece)
}

// fork returns the last block that the chains of the wallet and of the Syncer share, and
// the work of the wallet's blocks above it.
func (b *Backend) fork(ctx context.Context) (fork chain.BlockID, undone uint256.Uint256, err error) {
	locator, err := b.locator(ctx)
	if err != nil {
		return fork, undone, err
	}
	for _, fork = range locator { // the last one is genesis
		shared, err := b.onChain(ctx, fork)
		if err != nil {
			return fork, undone, err
		}
		if shared {
			break
		}
	}
	tip := b.tip(ctx)
	for fork.Height < tip.Height {
		header, err := b.s.Header(ctx, fork.Height+1)
		if err != nil {
			return fork, undone, err
		}
		hash := header.Hash()
		if shared, _, err := b.w.BlockInMainChain(ctx, &hash); err != nil || !shared {
			if err != nil {
				return fork, undone, err
			}
			break
		}
		fork = chain.BlockID{Height: fork.Height + 1, Hash: hash}
	}
	for hash := tip.Hash; hash != fork.Hash; {
		header, err := b.w.BlockHeader(ctx, &hash)
		if err != nil {
			return fork, undone, err
		}
		work := chain.Work(header.Bits)
		undone.Add(&work)
		hash = header.PrevBlock
	}
	return fork, undone, nil
}

// connect has the wallet switch to blocks that follow its chain or one of its blocks. If it
// has processed all before, they come with their transactions.
func (b *Backend) connect(ctx context.Context, piece []spv.Stored) error {
	var txs [][]*wire.MsgTx
	following := b.Status().Stage == Following && len(piece) <= pieceBlocks
	if following {
		var err error
		if txs, err = b.transactions(ctx, piece); err != nil {
			return err
		}
	}
	forest := new(wallet.SidechainForest) // it sums up the work
	nodes := make([]*wallet.BlockNode, len(piece))
	for i := range piece {
		filter, err := filterOf(&piece[i])
		if err != nil {
			return err
		}
		header := piece[i].Header.Wire()
		hash := piece[i].ID.Hash
		nodes[i] = wallet.NewBlockNode(&header, &hash, filter, nil)
		if following {
			nodes[i].RelevantTxs = txs[i]
		}
		forest.AddBlockNode(nodes[i])
	}
	left, err := b.w.ChainSwitch(ctx, forest, nodes)
	if err != nil {
		return err
	}
	first, last := piece[0].ID, piece[len(piece)-1].ID
	if len(left) > 0 {
		b.cfg.Log.Infof("Reorganized: %d blocks from %d on were replaced", len(left), first.Height)
	}
	if !following {
		b.state.set(Status{Stage: Chain, Tip: last})
		return nil
	}
	if err := b.retest(ctx, piece); err != nil {
		b.debt.add(first.Height)
		b.state.set(Status{Stage: Chain, Tip: last})
		return err
	}
	b.state.set(Status{Stage: Following, Tip: last})
	if err := b.w.PublishUnminedTransactions(ctx, b); err != nil { // an offer lasts for an hour
		return err
	}
	return b.askTreasury(ctx)
}

// transactions returns those of each block that concern the wallet. None are an empty list,
// which is not nil: it tells the wallet that the block is processed.
func (b *Backend) transactions(ctx context.Context, piece []spv.Stored) ([][]*wire.MsgTx, error) {
	txs := make([][]*wire.MsgTx, len(piece))
	for i := range txs {
		txs[i] = []*wire.MsgTx{}
	}
	matching, err := match(b.watched.noNews(), piece)
	if err != nil {
		return nil, err
	}
	at := make(map[chainhash.Hash]int, len(matching))
	ids := make([]chain.BlockID, len(matching))
	for i, n := range matching {
		ids[i] = piece[n].ID
		at[ids[i].Hash] = n
	}
	for block, err := range b.s.Fetch(ctx, ids...) {
		if err != nil {
			return nil, err
		}
		n := at[block.BlockHash()]
		txs[n] = append(txs[n], b.watched.inBlock(block, b.w.ChainParams())...)
	}
	return txs, nil
}

// match returns the places of the blocks that may have scripts of a query.
func match(q *filters.Query, piece []spv.Stored) (matching []int, err error) {
	var m filters.Matcher
	for i := range piece {
		may, err := m.Match(q, piece[i].Header.FilterKey(), piece[i].Filter)
		if err != nil {
			return nil, err
		}
		if may {
			matching = append(matching, i)
		}
	}
	return matching, nil
}

// retest tests connected blocks for scripts that came to be watched because of them: as if
// they had been watched from the start.
func (b *Backend) retest(ctx context.Context, piece []spv.Stored) error {
	for q := b.watched.news(); q != nil; q = b.watched.news() {
		matching, err := match(q, piece)
		if err != nil {
			return err
		}
		if len(matching) == 0 {
			continue
		}
		if err := b.w.RescanFromHeight(ctx, b, int32(piece[0].ID.Height)); err != nil {
			return err
		}
		if err := b.load(ctx, false); err != nil {
			return err
		}
	}
	return nil
}
