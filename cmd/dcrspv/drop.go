package main

import (
	"context"
	"fmt"
	"slices"

	"dcrspv/wallet"

	"github.com/decred/dcrd/chaincfg/chainhash"
)

// dropDoc is the document of drop.
type dropDoc struct {
	Dropped []string `json:"dropped"` // the transaction, and those that spend it
}

// runDrop forgets a transaction that waits for a block.
func (p *program) runDrop(ctx context.Context) error {
	var id chainhash.Hash
	if err := chainhash.Decode(&id, p.args[0]); err != nil || len(p.args[0]) != chainhash.MaxHashStringSize {
		return usage("give the 64 hex digits that history --unmined shows", "bad transaction hash %q", p.args[0])
	}
	return p.withWallet(func(w *wallet.Wallet) error {
		before, err := w.Unmined(ctx)
		if err != nil {
			return err
		}
		doc := dropDoc{Dropped: []string{}}
		isIt := func(u wallet.Unmined) bool { return u.TxID == id }
		if !slices.ContainsFunc(before, isIt) {
			dead, err := readDead(ctx, w)
			if err != nil {
				return err
			}
			mayReturn := func(ev wallet.Event) bool { return ev.Tx == id && ev.Kind == wallet.EventSuperseded }
			if !slices.ContainsFunc(dead, mayReturn) {
				return p.notWaiting(ctx, w, id)
			}
			doc.Dropped = append(doc.Dropped, id.String()) // else it is announced again once the price comes down
		}
		if err := w.DropUnmined(ctx, id); err != nil {
			return err
		}
		after, err := w.Unmined(ctx)
		if err != nil {
			return err
		}
		for _, u := range before {
			left := func(v wallet.Unmined) bool { return v.TxID == u.TxID }
			if !slices.ContainsFunc(after, left) {
				doc.Dropped = append(doc.Dropped, u.TxID.String())
			}
		}
		if p.opts.JSON {
			return p.printJSON(doc)
		}
		for _, txid := range doc.Dropped {
			fmt.Fprintf(p.stdout, "Forgotten, and announced no more: %s\n", txid)
		}
		for _, u := range after {
			waited := func(v wallet.Unmined) bool { return v.TxID == u.TxID && txidOf(v.Behind) != "" }
			if u.Own && txidOf(u.Behind) == "" && slices.ContainsFunc(before, waited) {
				fmt.Fprintf(p.stdout, "Announced by dcrspv run from now on: %s\n", u.TxID)
			}
		}
		_, err = fmt.Fprintln(p.stdout, "Nodes that have it may have it mined all the same; then it is found.")
		return err
	})
}

// minedAt is the block that a transaction of the wallet is in.
func minedAt(ctx context.Context, w *wallet.Wallet, id chainhash.Hash) (height uint32, mined bool, err error) {
	const size = 1000
	var last *wallet.Tx
	for {
		page, err := w.HistoryPage(ctx, last, size)
		if err != nil || len(page) == 0 {
			return 0, false, err
		}
		for _, tx := range page {
			if tx.TxID == id {
				return tx.Height, true, nil
			}
		}
		last = &page[len(page)-1]
	}
}

// notWaiting says why a transaction can't be dropped.
func (p *program) notWaiting(ctx context.Context, w *wallet.Wallet, id chainhash.Hash) error {
	switch height, mined, err := minedAt(ctx, w, id); {
	case err != nil:
		return err
	case mined:
		return newFailure("it is part of the chain, as history shows", "transaction %s is in block %d and can't be dropped", id, height)
	}
	unmined, err := readUnmined(ctx, w)
	for _, u := range unmined {
		if u.TxID == id.String() {
			return newFailure("there is nothing to do", "transaction %s is not announced any more, as it is %s", id, u.text())
		}
	}
	return firstError(err, newFailure("history --unmined lists what waits", "no transaction %s is known to wait for a block", id))
}
