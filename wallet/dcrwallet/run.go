package dcrwallet

import (
	"context"
	"errors"

	"dcrspv/spv"
	"dcrspv/spv/chain"

	"golang.org/x/sync/errgroup"
)

// Run keeps the wallet in sync until ctx ends, when it returns nil, or until something
// fails that is not a peer's fault, which it returns: the wallet's file, spv.ErrNotRunning
// when the Syncer ends, ErrLocked, ErrFilters. It may be called once (ErrRunning), before the Syncer
// runs or after. The wallet has this Backend as its network as long as it runs.
//
// A wallet that was never synced is searched for accounts in use, and has to be unlocked
// for that, unless it is watching-only.
func (b *Backend) Run(ctx context.Context) error {
	if !b.began.CompareAndSwap(false, true) {
		return ErrRunning
	}
	defer b.end()
	accounts, err := b.w.NeedsAccountsSync(ctx)
	if err != nil {
		return err
	}
	search := &accountSearch{wanted: accounts && !b.w.WatchingOnly()}
	if search.wanted && b.w.Locked() {
		return ErrLocked
	}
	b.w.SetNetworkBackend(b)
	defer b.w.SetNetworkBackend(nil)
	g, running := errgroup.WithContext(ctx)
	g.Go(func() error { return b.w.Run(running) })
	g.Go(func() error { return b.drive(running, search) })
	g.Go(func() error { return b.listen(running) })
	g.Go(func() error { return b.listenMixing(running) })
	g.Go(func() error { return b.listenTreasury(running) })
	if err := g.Wait(); ctx.Err() == nil {
		return err
	}
	return nil
}

// drive moves the wallet along the Syncer's chain.
func (b *Backend) drive(ctx context.Context, search *accountSearch) error {
	// A new wallet lacks the filter of the genesis block, one of an old version more.
	if err := b.w.FetchMissingCFilters(ctx, b); err != nil {
		return err
	}
	statuses := b.s.Watch(ctx)
	for seen := (chain.BlockID{}); ; seen = b.s.Tip() {
		err := b.follow(ctx, statuses, search)
		if !errors.Is(err, spv.ErrReorganized) && !errors.Is(err, spv.ErrNotStored) && !errors.Is(err, spv.ErrCorrupt) {
			return err
		}
		// The chain has changed while it was looked at, or is about to be mended.
		b.cfg.Log.Debugf("Looking at the chain again: %v", err)
		if seen != b.s.Tip() {
			continue
		}
		select {
		case <-statuses:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// follow moves the wallet along until there is an error.
func (b *Backend) follow(ctx context.Context, statuses <-chan spv.Status, search *accountSearch) error {
	locator, err := b.locator(ctx)
	if err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	tips := make(chan chain.BlockID)
	g.Go(func() error {
		for c, err := range b.s.Follow(ctx, locator) {
			if err != nil {
				return err
			}
			select {
			case tips <- c.Tip:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	g.Go(func() error {
		for {
			select {
			case tip := <-tips:
				if err := b.advance(ctx, tip); err != nil {
					return err
				}
			case <-statuses:
			case <-ctx.Done():
				return ctx.Err()
			}
			if err := b.catchUp(ctx, search); err != nil {
				return err
			}
		}
	})
	return g.Wait()
}

// locator returns blocks that the wallet has, newest first and sparse towards genesis, which
// is the last one.
func (b *Backend) locator(ctx context.Context) (ids []chain.BlockID, err error) {
	hashes, _, err := b.w.BlockLocators(ctx, nil)
	if err != nil {
		return nil, err
	}
	for _, hash := range hashes {
		header, err := b.w.BlockHeader(ctx, hash)
		if err != nil {
			return nil, err
		}
		ids = append(ids, chain.BlockID{Height: header.Height, Hash: *hash})
	}
	genesis := chain.BlockID{Hash: b.w.ChainParams().GenesisHash}
	if ids[len(ids)-1] != genesis { // the wallet's leave it out as a rule
		ids = append(ids, genesis)
	}
	return ids, nil
}

// tip returns the wallet's last block.
func (b *Backend) tip(ctx context.Context) chain.BlockID {
	hash, height := b.w.MainChainTip(ctx)
	return chain.BlockID{Height: uint32(height), Hash: hash}
}

// onChain reports whether the Syncer's chain has a block.
func (b *Backend) onChain(ctx context.Context, id chain.BlockID) (bool, error) {
	header, err := b.s.Header(ctx, id.Height)
	if errors.Is(err, spv.ErrNotStored) {
		return false, nil
	}
	return err == nil && header.Hash() == id.Hash, err
}
