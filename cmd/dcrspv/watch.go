package main

import (
	"context"
	"errors"
	"fmt"

	"dcrspv/wallet"
)

// withWallet opens wallet.db, creating it if there is none, for as long as do
// takes.
func (p *program) withWallet(do func(*wallet.Wallet) error) error {
	if err := p.set.makeDir(); err != nil {
		return err
	}
	w, err := wallet.Open(p.set.walletFile(), p.set.params)
	if err != nil {
		return err
	}
	return firstError(do(w), w.Close())
}

// named sorts the arguments of a command into addresses and extended public
// keys.
func named(args []string) (what wallet.Watch) {
	for _, arg := range args {
		if wallet.IsXPub(arg) {
			what.XPubs = append(what.XPubs, arg)
		} else {
			what.Addresses = append(what.Addresses, arg)
		}
	}
	return what
}

// badName makes a usage error of what the wallet says about an argument.
func badName(err error) error {
	for _, kind := range []error{wallet.ErrAddress, wallet.ErrXPub, wallet.ErrWrongNetwork} {
		if errors.Is(err, kind) {
			return &failure{
				status: statusUsage, what: err.Error(), err: err,
				remedy: "give addresses or extended public keys of the --network",
			}
		}
	}
	return err
}

// since is the height that a --from means, or else --birthday, or genesis.
func (p *program) since(from string) (uint32, error) {
	w := when{}
	switch {
	case from != "":
		var err error
		if w, err = parseWhen("--from", from, p.now()); err != nil {
			return 0, err
		}
	case p.set.birthday != nil:
		w = *p.set.birthday
	}
	return p.height(w)
}

// watchDoc is the document of watch and unwatch: the watch set afterwards.
type watchDoc struct {
	Watched []watchedDoc `json:"watched"`
}

// watchedDoc is an address or an extended public key; the other is empty.
type watchedDoc struct {
	Address string `json:"address,omitempty"`
	XPub    string `json:"xpub,omitempty"`
	From    uint32 `json:"from"`
}

func (p *program) runWatch(ctx context.Context) error {
	from, err := p.since(p.from.From)
	if err != nil {
		return err
	}
	return p.withWallet(func(w *wallet.Wallet) error {
		what := named(p.args)
		what.From = from
		if err := w.Watch(ctx, what); err != nil {
			return badName(err)
		}
		return p.reportWatched(ctx, w, fmt.Sprintf(
			"Watching from block %d. Run sync to test the blocks since then.", from))
	})
}

func (p *program) runUnwatch(ctx context.Context) error {
	return p.withWallet(func(w *wallet.Wallet) error {
		err := w.Unwatch(ctx, named(p.args))
		if errors.Is(err, wallet.ErrNotWatched) {
			return &failure{status: statusFailed, what: err.Error(), err: err, remedy: "status lists nothing of it, so there is nothing to do"}
		}
		if err != nil {
			return badName(err)
		}
		return p.reportWatched(ctx, w, "No longer watched, and what was found of it is forgotten.")
	})
}

func (p *program) reportWatched(ctx context.Context, w *wallet.Wallet, text string) error {
	list, err := w.Watched(ctx)
	if err != nil {
		return err
	}
	if p.opts.JSON {
		doc := watchDoc{Watched: make([]watchedDoc, 0, len(list))}
		for _, e := range list {
			doc.Watched = append(doc.Watched, watchedDoc{Address: e.Address, XPub: e.XPub, From: e.From})
		}
		return p.printJSON(doc)
	}
	_, err = fmt.Fprintf(p.stdout, "%s\nThe watch set has %s.\n", text, plural(len(list), "entry"))
	return err
}
