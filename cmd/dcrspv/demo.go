package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"dcrspv/spv"
	"dcrspv/wallet"
)

// demoDoc is the document of demo.
type demoDoc struct {
	statusDoc
	CutOff  []cutDoc   `json:"cut_off"`
	Balance balanceDoc `json:"balance"`
	Truth   balanceDoc `json:"truth"`
	Correct bool       `json:"correct"`
}

type cutDoc struct {
	Addr   string `json:"addr"`
	Reason string `json:"reason"`
	Role   string `json:"role"` // what the peer was up to
}

// demoResult is what the wallet of the demo found.
type demoResult struct {
	status  spv.Status
	balance balanceDoc
	history int
}

// runDemo builds a network in memory, syncs a wallet from it, and compares what
// the wallet found with what the builder of the chain knows.
func (p *program) runDemo(ctx context.Context) error {
	con := &console{out: p.stderr}
	con.printf("Building a chain of %d blocks with %d payments to a wallet, and a network of 12 peers.", p.demo.blocks, p.demo.payments)
	start := time.Now()
	d, err := newDemoNetwork(p.demo)
	if err != nil {
		return err
	}
	defer d.net.Close()
	con.printf("That took %s. Now the light client, which knows nothing but the genesis block:", roundDuration(time.Since(start)))

	dir, err := os.MkdirTemp("", "dcrspv-demo-")
	if err != nil {
		return fmt.Errorf("no directory for the demo: %w", err)
	}
	defer os.RemoveAll(dir)
	res, err := p.syncDemo(ctx, d, dir)
	if err != nil {
		return err
	}
	doc := newDemoDoc(d, res)
	if p.opts.JSON {
		err = p.printJSON(doc)
	} else {
		err = p.printDemo(d, res, doc)
	}
	if err == nil && !doc.Correct {
		err = newFailure("this is a bug in dcrspv", "the wallet does not agree with the chain")
	}
	return err
}

// syncDemo syncs a new wallet.
func (p *program) syncDemo(ctx context.Context, d *demoNetwork, dir string) (res demoResult, err error) {
	w, err := wallet.Open(filepath.Join(dir, "wallet.db"), d.params)
	if err != nil {
		return res, err
	}
	defer w.Close()
	if err := w.Watch(ctx, wallet.Watch{XPubs: []string{d.xpub}}); err != nil {
		return res, err
	}
	cfg := spv.Config{
		Params: d.params, DataDir: dir, Wallets: []spv.Wallet{w},
		MaxPeers: len(d.peers), Dial: d.net.Dial, UserAgentVersion: version,
	}
	for _, peer := range d.peers {
		cfg.Connect = append(cfg.Connect, peer.addr)
	}
	err = p.withClient(ctx, cfg, func(ctx context.Context, c *client) error {
		var err error
		res.status, err = c.wait(ctx, spv.Settled)
		return err
	})
	if err != nil {
		return res, err
	}
	balance, err := w.Balance(ctx)
	if err != nil {
		return res, err
	}
	res.balance = newBalanceDoc(balance)
	history, err := w.History(ctx)
	res.history = len(history)
	return res, err
}

func newDemoDoc(d *demoNetwork, res demoResult) demoDoc {
	doc := demoDoc{
		statusDoc: newStatusDoc(networkName(d.params), res.status),
		CutOff:    []cutDoc{},
		Balance:   res.balance,
		Truth: balanceDoc{
			Spendable: d.truth.Spendable, Immature: d.truth.Immature,
			Staked: d.truth.Staked, Total: d.truth.Total,
		},
	}
	for _, cut := range res.status.CutOff {
		if wasCut(doc.CutOff, cut.Addr) {
			continue // it came back, and was cut off again
		}
		i := slices.IndexFunc(d.peers, func(peer demoPeer) bool { return peer.addr == cut.Addr })
		if i >= 0 {
			doc.CutOff = append(doc.CutOff, cutDoc{cut.Addr, oneLine(cut.Reason), d.peers[i].role})
		}
	}
	doc.Correct = doc.Balance == doc.Truth && res.history == len(d.truth.History) &&
		res.status.Tip.Hash == d.truth.Tip.Hash
	return doc
}

// printDemo tells the story.
func (p *program) printDemo(d *demoNetwork, res demoResult, doc demoDoc) error {
	w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "\nSynced and verified %d blocks in %.1f s, %s received in %d requests.\n",
		res.status.Tip.Height, res.status.Seconds.Total, bytesText(res.status.ReceivedBytes),
		res.status.Requests.Headers+res.status.Requests.Filters+res.status.Requests.Blocks)
	fmt.Fprintf(w, "\nCut off:\n")
	for _, cut := range doc.CutOff {
		fmt.Fprintf(w, "  %s %s\n      %s\n", cut.Addr, cut.Role, strings.Join(wrap(cut.Reason, columns-6), "\n      "))
	}
	for _, peer := range d.peers {
		if peer.hostile && !wasCut(doc.CutOff, peer.addr) {
			fmt.Fprintf(w, "  %s %s\n      not believed, but did no harm: kept\n", peer.addr, peer.role)
		}
	}
	fmt.Fprintf(w, "\n\twallet\tchain\n")
	for _, row := range []struct {
		name          string
		wallet, truth int64
	}{
		{"spendable", doc.Balance.Spendable, doc.Truth.Spendable},
		{"immature", doc.Balance.Immature, doc.Truth.Immature},
		{"staked", doc.Balance.Staked, doc.Truth.Staked},
		{"total", doc.Balance.Total, doc.Truth.Total},
	} {
		fmt.Fprintf(w, "%s\t%s\t%s\n", row.name, amount(row.wallet), amount(row.truth))
	}
	fmt.Fprintf(w, "transactions\t%d\t%d\n", res.history, len(d.truth.History))
	if doc.Correct {
		fmt.Fprintf(w, "\nThe wallet is right to the atom, whatever the hostile peers said.\n")
	}
	return w.Flush()
}

func wasCut(cuts []cutDoc, addr string) bool {
	return slices.ContainsFunc(cuts, func(c cutDoc) bool { return c.Addr == addr })
}
