package main

import (
	"context"
	"fmt"
	"time"

	"dcrspv/spv"
	"dcrspv/wallet"

	"github.com/decred/dcrd/math/uint256"
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
	Blake3    uint32 `json:"blake3"`  // headers with blake3 work; that of others is blake256
	Prices    uint32 `json:"prices"`  // headers whose ticket price was computed again
	Anchors   int    `json:"anchors"` // known blocks that the chain contains
	Work      string `json:"work"`    // of the whole chain, in hex
	Proven    bool   `json:"proven"`  // it is what the network is known to have done
	Filters   uint32 `json:"filters"`
	Committed uint32 `json:"committed"`  // filters that a header commits to
	FilterSet bool   `json:"filter_set"` // the older ones are all there and have the known hash
}

// runVerify reads both files from end to end.
func (p *program) runVerify(ctx context.Context) error {
	doc, err := p.verify(ctx)
	if err != nil {
		return err
	}
	if p.opts.JSON {
		return p.printJSON(doc)
	}
	fmt.Fprintf(p.stdout, "chain.db   %d headers: linked, with work, difficulty, times, votes and versions by the rules, up to block %s\n",
		doc.Chain.Headers, doc.Chain.Hash)
	fmt.Fprintf(p.stdout, "           blake256 work: %d, blake3 work: %d, ticket prices computed: %d, known blocks met: %d\n",
		doc.Chain.Headers-doc.Chain.Blake3, doc.Chain.Blake3, doc.Chain.Prices, doc.Chain.Anchors)
	fmt.Fprintf(p.stdout, "           %d filters, of which %d are what their header commits to\n", doc.Chain.Filters, doc.Chain.Committed)
	if doc.Chain.FilterSet {
		fmt.Fprintf(p.stdout, "           the filters from before DCP0005 are the known set\n")
	}
	w := doc.Wallet
	fmt.Fprintf(p.stdout, "wallet.db  %s, %s, %s, %s: they tell the same story\n",
		plural(w.Scripts, "script"), plural(w.Transactions, "transaction"), plural(w.Coins, "coin"), plural(w.Events, "event"))
	_, err = fmt.Fprintf(p.stdout, "           %s in all: each as it was written, none missing\n", plural(w.Records, "record"))
	return err
}

// verify checks the files.
func (p *program) verify(ctx context.Context) (doc verifyDoc, err error) {
	err = p.offline(func(s *spv.Syncer) error {
		report, err := s.Verify(ctx, verifyProgress(&console{out: p.stderr}))
		doc.Chain = chainReportDoc{
			Height: report.Tip.Height, Hash: report.Tip.Hash.String(), Headers: report.Headers,
			Blake3: report.Blake3, Prices: report.Prices, Anchors: report.Checkpoints,
			Work: report.Work.Text(uint256.OutputBaseHex), Proven: report.Proven,
			Filters: report.Filters, Committed: report.Committed, FilterSet: report.FilterSet,
		}
		return err
	})
	if err != nil {
		return doc, err
	}
	err = p.withWallet(func(w *wallet.Wallet) error {
		report, err := w.Verify(ctx)
		doc.Wallet = newWalletReportDoc(report)
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

// walletReportDoc counts what was found right in wallet.db.
type walletReportDoc struct {
	Scripts      int `json:"scripts"`
	Accounts     int `json:"accounts"`
	Transactions int `json:"transactions"`
	Coins        int `json:"coins"`
	Blocks       int `json:"blocks"`
	Unmined      int `json:"unmined"`
	Events       int `json:"events"`
	Records      int `json:"records"` // of all kinds
}

func newWalletReportDoc(r wallet.Report) walletReportDoc {
	return walletReportDoc{
		Scripts: r.Scripts, Accounts: r.Accounts, Transactions: r.Transactions,
		Coins: r.Coins, Blocks: r.Blocks, Unmined: r.Unmined, Events: r.Events, Records: r.Records,
	}
}
