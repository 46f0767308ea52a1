package main

import (
	"context"
	"fmt"
	"time"

	"dcrspv/spv/chaindb"
	"dcrspv/wallet"

	"github.com/decred/dcrd/wire"
)

// verifyDoc is the document of verify: what was checked and found right.
type verifyDoc struct {
	Chain  chainReportDoc  `json:"chain"`
	Wallet walletReportDoc `json:"wallet"`
}

type chainReportDoc struct {
	Height    uint32 `json:"height"`
	Hash      string `json:"hash"`
	Headers   uint32 `json:"headers"`
	Filters   uint32 `json:"filters"`
	Committed uint32 `json:"committed"`  // filters that a header commits to
	FilterSet bool   `json:"filter_set"` // the older ones are all there and have the known hash
}

// runVerify reads both files from end to end.
func (p *program) runVerify(ctx context.Context) error {
	type outcome struct {
		doc verifyDoc
		err error
	}
	done := make(chan outcome, 1)
	go func() {
		doc, err := p.verify(ctx)
		done <- outcome{doc, err}
	}()
	// Reading a large file takes a while and cannot be interrupted, but left.
	var doc verifyDoc
	select {
	case o := <-done:
		if o.err != nil {
			return o.err
		}
		doc = o.doc
	case <-ctx.Done():
		return ctx.Err()
	}
	if p.opts.JSON {
		return p.printJSON(doc)
	}
	fmt.Fprintf(p.stdout, "chain.db   %d headers: linked, with work, up to block %s\n", doc.Chain.Headers, doc.Chain.Hash)
	fmt.Fprintf(p.stdout, "           %d filters, of which %d are what their header commits to\n", doc.Chain.Filters, doc.Chain.Committed)
	if doc.Chain.FilterSet {
		fmt.Fprintf(p.stdout, "           the filters from before DCP0005 are the known set\n")
	}
	_, err := fmt.Fprintf(p.stdout, "wallet.db  %s\n", doc.Wallet.text())
	return err
}

// verify checks the files.
func (p *program) verify(ctx context.Context) (doc verifyDoc, err error) {
	err = p.withChain(func(db *chaindb.DB) error {
		report, err := db.Verify(verifyProgress(&console{out: p.stderr}))
		doc.Chain = chainReportDoc{
			Height: report.Tip.Height, Hash: report.Tip.Hash.String(), Headers: report.Headers,
			Filters: report.Filters, Committed: report.Committed, FilterSet: report.FilterSet,
		}
		return err
	})
	if err != nil {
		return doc, err
	}
	err = p.withWallet(func(w *wallet.Wallet) error {
		var err error
		doc.Wallet, err = verifyWallet(ctx, w)
		return err
	})
	return doc, err
}

// verifyProgress prints a line every few seconds.
func verifyProgress(con *console) func(done, total uint32) {
	last := time.Now()
	return func(done, total uint32) {
		if time.Since(last) >= lineEvery {
			last = time.Now()
			con.printf("verify      %d of %d", done, total)
		}
	}
}

// walletReportDoc says what was found right in wallet.db.
type walletReportDoc struct {
	Transactions int   `json:"transactions"`
	Utxos        int   `json:"utxos"`
	Total        int64 `json:"total"`
}

func (r walletReportDoc) text() string {
	return fmt.Sprintf("%d transactions, %d unspent outputs: together %s, by coins, history and balance alike",
		r.Transactions, r.Utxos, amount(r.Total))
}

// verifyWallet checks that the history, the coins and the balance tell the same
// story, and that each transaction is what its hash says.
func verifyWallet(ctx context.Context, w *wallet.Wallet) (walletReportDoc, error) {
	var r walletReportDoc
	balance, err := w.Balance(ctx)
	if err != nil {
		return r, err
	}
	history, err := w.History(ctx)
	if err != nil {
		return r, err
	}
	utxos, err := w.UTXOs(ctx)
	if err != nil {
		return r, err
	}
	var earned, held int64
	for _, entry := range history {
		var tx wire.MsgTx
		if err := tx.FromBytes(entry.Raw); err != nil || tx.TxHash() != entry.TxID {
			return r, fmt.Errorf("%w: transaction %s is not what it should be", wallet.ErrCorrupt, entry.TxID)
		}
		earned += int64(entry.Net)
	}
	for _, u := range utxos {
		held += int64(u.Amount)
	}
	r = walletReportDoc{Transactions: len(history), Utxos: len(utxos), Total: int64(balance.Total)}
	if earned != held || held != r.Total {
		return r, fmt.Errorf("%w: the history says %s, the coins %s, the balance %s", wallet.ErrCorrupt,
			amount(earned), amount(held), amount(r.Total))
	}
	return r, nil
}
