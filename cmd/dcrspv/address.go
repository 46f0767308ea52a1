package main

import (
	"context"
	"errors"
	"fmt"

	"dcrspv/wallet"
)

// addressDoc is the document of address.
type addressDoc struct {
	Address string `json:"address"`
}

// addressFlags are those of address.
type addressFlags struct {
	New bool `long:"new" description:"one that was never given out before: for one payer each"`
}

// runAddress prints an address to be paid at, of the account given or of the
// one that was watched first.
func (p *program) runAddress(ctx context.Context) error {
	xpub := ""
	if len(p.args) > 0 {
		xpub = p.args[0]
		if !wallet.IsXPub(xpub) {
			return usage("give one that is watched, or none", "%q is not an extended public key", xpub)
		}
	}
	return p.withWallet(func(w *wallet.Wallet) error {
		next := w.AddressOf
		if p.address.New {
			next = w.NextAddress
		}
		addr, err := next(ctx, xpub)
		if err != nil {
			return noAddress(err)
		}
		if p.opts.JSON {
			return p.printJSON(addressDoc{addr})
		}
		_, err = fmt.Fprintln(p.stdout, addr)
		return err
	})
}

// noAddress says what to do when there is none.
func noAddress(err error) error {
	for _, why := range []struct {
		kind   error
		remedy string
	}{
		{wallet.ErrNoAccount, "dcrspv watch XPUB adds one"},
		{wallet.ErrNotWatched, "dcrspv watch XPUB adds it"},
		{wallet.ErrGap, "wait until one of them is paid and 24 blocks have followed, or raise the limit with dcrspv watch --gap N XPUB"},
	} {
		if errors.Is(err, why.kind) {
			return &failure{status: statusFailed, what: err.Error(), err: err, remedy: why.remedy}
		}
	}
	return err
}
