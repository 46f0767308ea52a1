package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"dcrspv/spv"
	"dcrspv/wallet/dcrwallet"

	"decred.org/dcrwallet/v5/wallet"
	"decred.org/dcrwallet/v5/wallet/txrules"
	"golang.org/x/sync/errgroup"
)

// relayFee is what transactions pay for a kilobyte: what nodes want (dcrd).
const relayFee = txrules.DefaultRelayFeePerKb

// session is the wallet, open, with the Syncer that it hangs on.
type session struct {
	syncer  *spv.Syncer
	wallet  *wallet.Wallet
	backend *dcrwallet.Backend
}

// offline opens the wallet for a function.
func (p *program) offline(ctx context.Context, fn func(*session) error) (err error) {
	// The chain file comes first: it tells if another process has it, and dcrwallet's waits.
	s, err := p.newSyncer()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if _, err := os.Stat(p.walletPath()); errors.Is(err, fs.ErrNotExist) {
		return errNoWallet
	}
	db, err := wallet.OpenDB("bdb", p.walletPath())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	w, err := p.open(ctx, db)
	if err != nil {
		return err
	}
	return fn(&session{syncer: s, wallet: w})
}

// online opens the wallet, unlocks it if it has to be, syncs it, and calls a function.
func (p *program) online(ctx context.Context, spends bool, fn func(context.Context, *session) error) error {
	return p.offline(ctx, func(c *session) (err error) {
		if spends && c.wallet.WatchingOnly() {
			return errWatching
		}
		first, err := c.wallet.NeedsAccountsSync(ctx)
		if err != nil {
			return err
		}
		if spends || first && !c.wallet.WatchingOnly() {
			pass, err := p.secrets.passphrase(false)
			if err != nil {
				return err
			}
			if err := c.wallet.Unlock(ctx, pass, nil); err != nil {
				return err
			}
		}
		if c.backend, err = dcrwallet.New(c.syncer, c.wallet, dcrwallet.Config{}); err != nil {
			return err
		}
		g, running := errgroup.WithContext(ctx)
		running, end := context.WithCancel(running)
		defer end()
		g.Go(func() error { return c.syncer.Run(running) })
		g.Go(func() error { return c.backend.Run(running) })
		g.Go(func() error {
			defer end()
			if err := p.await(running, c); err != nil {
				return err
			}
			return fn(running, c)
		})
		return g.Wait()
	})
}

// runSync syncs and ends.
func (p *program) runSync(ctx context.Context) error {
	return p.online(ctx, false, func(_ context.Context, c *session) error {
		_, height := c.wallet.MainChainTip(ctx)
		_, err := fmt.Fprintf(p.stdout, "in sync at block %d\n", height)
		return err
	})
}
