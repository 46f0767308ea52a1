package main

import (
	"context"
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"dcrspv/wallet"
)

// balanceDoc is the document of balance.
type balanceDoc struct {
	Spendable   int64 `json:"spendable"`
	Immature    int64 `json:"immature"`
	Staked      int64 `json:"staked"`
	Total       int64 `json:"total"`       // the sum of the three, all mined
	Unconfirmed int64 `json:"unconfirmed"` // net effect of unmined transactions, not in Total
}

// entryDoc is an element of the document of history: a mined transaction.
type entryDoc struct {
	TxID   string `json:"txid"`
	Tree   int8   `json:"tree"`
	Height uint32 `json:"height"`
	Block  string `json:"block"`
	Time   int64  `json:"time"`
	Net    int64  `json:"net"`
}

// utxoDoc is an element of the document of utxos.
type utxoDoc struct {
	TxID      string `json:"txid"`
	Index     uint32 `json:"index"`
	Tree      int8   `json:"tree"`
	Amount    int64  `json:"amount"`
	Height    uint32 `json:"height"`
	Address   string `json:"address"`
	Spendable bool   `json:"spendable"`
}

// addressDoc is the document of address.
type addressDoc struct {
	Address string `json:"address"`
}

func readBalance(ctx context.Context, w *wallet.Wallet) (balanceDoc, error) {
	b, err := w.Balance(ctx)
	return balanceDoc{
		Spendable:   int64(b.Spendable),
		Immature:    int64(b.Immature),
		Staked:      int64(b.Staked),
		Total:       int64(b.Total),
		Unconfirmed: int64(b.Unconfirmed),
	}, err
}

func readHistory(ctx context.Context, w *wallet.Wallet) ([]entryDoc, error) {
	list, err := w.History(ctx)
	docs := make([]entryDoc, 0, len(list))
	for _, tx := range list {
		docs = append(docs, entryDoc{
			TxID: tx.TxID.String(), Tree: tx.Tree, Height: tx.Height,
			Block: tx.Block.String(), Time: tx.Time.Unix(), Net: int64(tx.Net),
		})
	}
	return docs, err
}

func readUtxos(ctx context.Context, w *wallet.Wallet) ([]utxoDoc, error) {
	list, err := w.UTXOs(ctx)
	docs := make([]utxoDoc, 0, len(list))
	for _, u := range list {
		docs = append(docs, utxoDoc{
			TxID: u.TxID.String(), Index: u.Index, Tree: u.Tree, Amount: int64(u.Amount),
			Height: u.Height, Address: u.Address, Spendable: u.Spendable,
		})
	}
	return docs, err
}

func (p *program) runBalance(ctx context.Context) error {
	return p.withWallet(func(w *wallet.Wallet) error {
		doc, err := readBalance(ctx, w)
		if err != nil {
			return err
		}
		if p.opts.JSON {
			return p.printJSON(doc)
		}
		return p.printBalance(doc)
	})
}

func (p *program) runHistory(ctx context.Context) error {
	return p.withWallet(func(w *wallet.Wallet) error {
		doc, err := readHistory(ctx, w)
		if err != nil {
			return err
		}
		if p.opts.JSON {
			return p.printJSON(doc)
		}
		unmined, err := w.Unmined(ctx)
		if err != nil {
			return err
		}
		return p.printHistory(doc, unmined)
	})
}

func (p *program) runUtxos(ctx context.Context) error {
	return p.withWallet(func(w *wallet.Wallet) error {
		doc, err := readUtxos(ctx, w)
		if err != nil {
			return err
		}
		if p.opts.JSON {
			return p.printJSON(doc)
		}
		return p.printUtxos(doc)
	})
}

func (p *program) runAddress(ctx context.Context) error {
	return p.withWallet(func(w *wallet.Wallet) error {
		addr, err := w.Address(ctx)
		if errors.Is(err, wallet.ErrNoAccount) {
			return &failure{
				status: statusFailed, what: err.Error(), err: err,
				remedy: "dcrspv watch XPUB adds one",
			}
		}
		if err != nil {
			return err
		}
		if p.opts.JSON {
			return p.printJSON(addressDoc{addr})
		}
		_, err = fmt.Fprintln(p.stdout, addr)
		return err
	})
}

func (p *program) printBalance(b balanceDoc) error {
	w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "spendable\t%s\t\n", amount(b.Spendable))
	fmt.Fprintf(w, "immature\t%s\t\n", amount(b.Immature))
	fmt.Fprintf(w, "staked\t%s\t\n", amount(b.Staked))
	fmt.Fprintf(w, "total\t%s\t\n", amount(b.Total))
	fmt.Fprintf(w, "unconfirmed\t%s\t\n", amount(b.Unconfirmed))
	return w.Flush()
}

func (p *program) printHistory(entries []entryDoc, unmined []wallet.Unmined) error {
	if len(entries)+len(unmined) == 0 {
		_, err := fmt.Fprintln(p.stdout, "no transactions")
		return err
	}
	w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "TIME\tBLOCK\tAMOUNT\tTRANSACTION")
	for _, e := range entries {
		fmt.Fprintf(w, "%s\t%d\t%s\t%s\n", time.Unix(e.Time, 0).UTC().Format(time.DateTime), e.Height, amount(e.Net), e.TxID)
	}
	for _, u := range unmined {
		fmt.Fprintf(w, "not mined yet\t-\t%s\t%s\n", u.Net, u.TxID)
	}
	return w.Flush()
}

func (p *program) printUtxos(utxos []utxoDoc) error {
	if len(utxos) == 0 {
		_, err := fmt.Fprintln(p.stdout, "no unspent outputs")
		return err
	}
	w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "AMOUNT\tBLOCK\tSPENDABLE\tADDRESS\tOUTPUT")
	for _, u := range utxos {
		spendable := "no"
		if u.Spendable {
			spendable = "yes"
		}
		fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%s:%d\n", amount(u.Amount), u.Height, spendable, orElse(u.Address, "-"), u.TxID, u.Index)
	}
	return w.Flush()
}
