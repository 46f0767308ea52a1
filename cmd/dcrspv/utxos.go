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

	// SpentBy is the transaction that waits for a block and spends it; "" if none
	// does. It takes nothing from Spendable: it may never be mined.
	SpentBy string `json:"spent_by"`
}

func readUtxos(ctx context.Context, w *wallet.Wallet) ([]utxoDoc, error) {
	waiting, err := w.Unmined(ctx)
	if err != nil {
		return nil, err
	}
	spent := spenders(waiting)
	list, err := w.UTXOs(ctx)
	docs := make([]utxoDoc, 0, len(list))
	for _, u := range list {
		docs = append(docs, utxoDoc{
			TxID: u.TxID.String(), Index: u.Index, Tree: u.Tree, Amount: int64(u.Amount),
			Height: u.Height, Address: u.Address, Spendable: u.Spendable,
			Kind: u.Kind.String(), Matures: u.Matures, Label: oneLine(u.Label),
			SpentBy: spent[wallet.OutPoint{Hash: u.TxID, Index: u.Index}.String()],
		})
	}
	return docs, err
}

// spenders tells which transaction that waits spends what. Of several it is the one that
// counts in the balance.
func spenders(waiting []wallet.Unmined) map[string]string {
	by := make(map[string]string)
	for _, first := range []bool{true, false} {
		for _, u := range waiting {
			for _, d := range u.Debits {
				coin := wallet.OutPoint{Hash: d.TxID, Index: d.Index}.String()
				if (txidOf(u.Behind) == "") == first && by[coin] == "" {
					by[coin] = u.TxID.String()
				}
			}
		}
	}
	return by
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
	spent := slices.ContainsFunc(utxos, func(u utxoDoc) bool { return u.SpentBy != "" })
	fmt.Fprintln(w, "AMOUNT\tBLOCK\tKIND\tSPENDABLE\tADDRESS\tOUTPUT"+lastCell(spent, "SPENT BY, NOT IN A BLOCK")+lastCell(labelled, "LABEL"))
	for _, u := range utxos {
		fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%s\t%s:%d%s%s\n", amount(u.Amount), u.Height, u.Kind, u.when(),
			orElse(u.Address, "-"), u.TxID, u.Index, lastCell(spent, orElse(u.SpentBy, "-")), lastCell(labelled, orElse(u.Label, "-")))
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
