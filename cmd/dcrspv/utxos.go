package main

import (
	"context"
	"fmt"
	"slices"
	"text/tabwriter"

	"dcrspv/wallet"
)

// utxoDoc is an element of the document of utxos.
type utxoDoc struct {
	TxID      string `json:"txid"`
	Index     uint32 `json:"index"`
	Tree      int8   `json:"tree"`
	Amount    int64  `json:"amount"`
	Height    uint32 `json:"height"`
	Address   string `json:"address"`
	Spendable bool   `json:"spendable"`
	Kind      string `json:"kind"`
	Matures   uint32 `json:"matures"` // lowest block that may spend it; 0 for a ticket
	Label     string `json:"label"`   // of the address
}

func readUtxos(ctx context.Context, w *wallet.Wallet) ([]utxoDoc, error) {
	list, err := w.UTXOs(ctx)
	docs := make([]utxoDoc, 0, len(list))
	for _, u := range list {
		docs = append(docs, utxoDoc{
			TxID: u.TxID.String(), Index: u.Index, Tree: u.Tree, Amount: int64(u.Amount),
			Height: u.Height, Address: u.Address, Spendable: u.Spendable,
			Kind: u.Kind.String(), Matures: u.Matures, Label: oneLine(u.Label),
		})
	}
	return docs, err
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

func (p *program) printUtxos(utxos []utxoDoc) error {
	if len(utxos) == 0 {
		_, err := fmt.Fprintln(p.stdout, "no unspent outputs")
		return err
	}
	labelled := slices.ContainsFunc(utxos, func(u utxoDoc) bool { return u.Label != "" })
	w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "AMOUNT\tBLOCK\tKIND\tSPENDABLE\tADDRESS\tOUTPUT"+lastCell(labelled, "LABEL"))
	for _, u := range utxos {
		fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%s\t%s:%d%s\n", amount(u.Amount), u.Height, u.Kind, u.when(),
			orElse(u.Address, "-"), u.TxID, u.Index, lastCell(labelled, orElse(u.Label, "-")))
	}
	return w.Flush()
}

// when says since when an output can be spent.
func (u utxoDoc) when() string {
	switch {
	case u.Spendable:
		return "yes"
	case u.Matures > 0:
		return fmt.Sprintf("in block %d", u.Matures)
	}
	return "no"
}
