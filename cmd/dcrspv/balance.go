package main

import (
	"context"
	"fmt"
	"text/tabwriter"

	"dcrspv/wallet"
)

// balanceDoc is what a wallet holds. The document of balance has it, and what
// is in outputs of each kind.
type balanceDoc struct {
	Spendable   int64 `json:"spendable"`
	Immature    int64 `json:"immature"`
	Staked      int64 `json:"staked"`
	Total       int64 `json:"total"`       // the sum of the three, all mined
	Unconfirmed int64 `json:"unconfirmed"` // net effect of unmined transactions, not in Total
}

// kindsDoc is the document of balance.
type kindsDoc struct {
	balanceDoc
	ByKind map[string]kindDoc `json:"by_kind"` // every kind; the sum is Total
}

// kindDoc is the part of a balance in outputs of one kind.
type kindDoc struct {
	Total     int64  `json:"total"`
	Spendable int64  `json:"spendable"`
	Coins     uint64 `json:"coins"`
}

func newBalanceDoc(b wallet.Balance) balanceDoc {
	return balanceDoc{
		Spendable:   int64(b.Spendable),
		Immature:    int64(b.Immature),
		Staked:      int64(b.Staked),
		Total:       int64(b.Total),
		Unconfirmed: int64(b.Unconfirmed),
	}
}

func newKindsDoc(b wallet.Balance) kindsDoc {
	doc := kindsDoc{balanceDoc: newBalanceDoc(b), ByKind: make(map[string]kindDoc, len(b.ByKind))}
	for kind, part := range b.ByKind {
		doc.ByKind[wallet.CoinKind(kind).String()] = kindDoc{
			Total: int64(part.Total), Spendable: int64(part.Spendable), Coins: part.Coins,
		}
	}
	return doc
}

func (p *program) runBalance(ctx context.Context) error {
	return p.withWallet(func(w *wallet.Wallet) error {
		b, err := w.Balance(ctx)
		if err != nil {
			return err
		}
		if p.opts.JSON {
			return p.printJSON(newKindsDoc(b))
		}
		return p.printBalance(b)
	})
}

// printBalance prints the sums, and then of which kinds the total is made.
func (p *program) printBalance(b wallet.Balance) error {
	w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "spendable\t%s\t\n", b.Spendable)
	fmt.Fprintf(w, "immature\t%s\t\n", b.Immature)
	fmt.Fprintf(w, "staked\t%s\t\n", b.Staked)
	fmt.Fprintf(w, "total\t%s\t\n", b.Total)
	fmt.Fprintf(w, "unconfirmed\t%s\t\n", b.Unconfirmed)
	if err := w.Flush(); err != nil || b.Total == 0 {
		return err
	}
	fmt.Fprintf(p.stdout, "\nThe total is in\n")
	for kind, part := range b.ByKind {
		if part.Coins > 0 {
			fmt.Fprintf(w, "%s\t%s\t%s\t\n", plural(int(part.Coins), "output"), wallet.CoinKind(kind), part.Total)
		}
	}
	return w.Flush()
}
