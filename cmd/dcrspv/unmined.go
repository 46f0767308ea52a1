package main

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"text/tabwriter"

	"dcrspv/wallet"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/chaincfg/v3"
	"github.com/decred/dcrd/txscript/v4/stdscript"
)

// unminedDoc is an element of the document of history --unmined.
type unminedDoc struct {
	TxID  string `json:"txid"`
	State string `json:"state"` // unconfirmed, conflicted, expired or superseded
	By    string `json:"by"`    // the transaction that it is in conflict with
	Net   int64  `json:"net"`   // what it would do to the balance; 0 unless it is unconfirmed
	Own   bool   `json:"own"`   // broadcast by this wallet
	Label string `json:"label"`

	// Behind is the one that comes first, as both spend the same output, and counts in
	// place of this one; "" if none does. One of our own is not announced until then.
	Behind string `json:"behind"`

	// What it spends and pays; empty of one that is not kept any more because it
	// can't be mined.
	Inputs  []inputDoc  `json:"inputs"`
	Outputs []outputDoc `json:"outputs"`
}

// inputDoc is an output that a transaction spends.
type inputDoc struct {
	TxID   string `json:"txid"`
	Index  uint32 `json:"index"`
	Tree   int8   `json:"tree"`
	Ours   bool   `json:"ours"`
	Amount *int64 `json:"amount"` // null if it is not ours: then nobody can tell
}

// outputDoc is an output that a transaction makes.
type outputDoc struct {
	Index   uint32 `json:"index"`
	Amount  int64  `json:"amount"`
	Ours    bool   `json:"ours"`
	Address string `json:"address"` // "" if the script has none, or several
	Script  string `json:"script"`
}

func newInputDocs(u *wallet.Unmined) []inputDoc {
	docs := make([]inputDoc, 0, len(u.Tx.TxIn))
	for _, in := range u.Tx.TxIn {
		prev := in.PreviousOutPoint
		doc := inputDoc{TxID: prev.Hash.String(), Index: prev.Index, Tree: prev.Tree}
		for _, d := range u.Debits {
			if d.TxID == prev.Hash && d.Index == prev.Index {
				amount := int64(d.Amount)
				doc.Ours, doc.Amount = true, &amount
			}
		}
		docs = append(docs, doc)
	}
	return docs
}

func newOutputDocs(u *wallet.Unmined, params *chaincfg.Params) []outputDoc {
	docs := make([]outputDoc, 0, len(u.Tx.TxOut))
	for i, out := range u.Tx.TxOut {
		doc := outputDoc{Index: uint32(i), Amount: out.Value, Script: hex.EncodeToString(out.PkScript)}
		doc.Ours = slices.ContainsFunc(u.Credits, func(c wallet.Credit) bool { return c.Index == doc.Index })
		if kind, addrs := stdscript.ExtractAddrs(out.Version, out.PkScript, params); len(addrs) == 1 && kind != stdscript.STMultiSig {
			doc.Address = addrs[0].String()
		}
		docs = append(docs, doc)
	}
	return docs
}

// unconfirmed is the state of a transaction that may still be mined, also of
// one that peers have dropped: nothing speaks against it but time.
const unconfirmed = "unconfirmed"

// recentEvents is how far back history looks for transactions that can't be
// mined any more: about a month of blocks.
const recentEvents = 10_000

// readUnmined lists what is not in a block: first what can't get there any
// more, as of lately, and then what waits.
func readUnmined(ctx context.Context, w *wallet.Wallet) ([]unminedDoc, error) {
	labels, err := w.Labels(ctx)
	if err != nil {
		return nil, err
	}
	dead, err := readDead(ctx, w)
	if err != nil {
		return nil, err
	}
	waiting, err := w.Unmined(ctx)
	docs := make([]unminedDoc, 0, len(dead)+len(waiting))
	for _, ev := range dead {
		doc := unminedDoc{
			TxID: ev.Tx.String(), State: string(ev.Kind), Own: ev.Own, Inputs: []inputDoc{}, Outputs: []outputDoc{},
		}
		if ev.Kind == wallet.EventConflicted {
			doc.By = ev.By.String()
		}
		docs = append(docs, doc)
	}
	for _, u := range waiting {
		docs = append(docs, unminedDoc{
			TxID: u.TxID.String(), State: unconfirmed, Net: int64(u.Net), Own: u.Own, Behind: txidOf(u.Behind),
			Inputs: newInputDocs(&u), Outputs: newOutputDocs(&u, w.Params()),
		})
	}
	for i := range docs {
		docs[i].Label = oneLine(labels[docs[i].TxID])
	}
	return docs, err
}

// txidOf is a transaction's hash as text; "" for none.
func txidOf(id chainhash.Hash) string {
	if id == (chainhash.Hash{}) {
		return ""
	}
	return id.String()
}

// readDead returns the last events of the transactions that are in conflict with
// a mined one, have expired or are tickets below the price, unless that was long ago.
func readDead(ctx context.Context, w *wallet.Wallet) ([]wallet.Event, error) {
	last, err := w.LastEvent(ctx)
	if err != nil || last == 0 {
		return nil, err
	}
	first, err := w.FirstEvent(ctx) // as few as are kept
	if err != nil {
		return nil, err
	}
	dead := make(map[chainhash.Hash]wallet.Event)
	for ev, err := range w.Events(ctx, max(last-min(last, recentEvents), first-min(first, 1))) {
		if errors.Is(err, wallet.ErrCursorTooOld) { // pruned meanwhile
			return readDead(ctx, w)
		}
		if err != nil {
			return nil, err
		}
		switch ev.Kind {
		case wallet.EventConflicted, wallet.EventExpired, wallet.EventSuperseded:
			dead[ev.Tx] = ev
		case wallet.EventMined, wallet.EventUnmined, wallet.EventRemoved:
			delete(dead, ev.Tx)
		}
		if ev.Seq >= last {
			break
		}
	}
	return slices.SortedFunc(maps.Values(dead), func(a, b wallet.Event) int { return cmp.Compare(a.Seq, b.Seq) }), nil
}

// printUnmined lists what is not in a block. What others have announced may be
// made up, so it says that.
func (p *program) printUnmined(list []unminedDoc) error {
	if len(list) == 0 {
		_, err := fmt.Fprintln(p.stdout, "nothing waits for a block")
		return err
	}
	labelled := slices.ContainsFunc(list, func(u unminedDoc) bool { return u.Label != "" })
	w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "NOT IN A BLOCK\tAMOUNT\tTRANSACTION"+lastCell(labelled, "LABEL"))
	for _, u := range list {
		fmt.Fprintf(w, "%s\t%s\t%s%s\n", u.text(), u.amount(), u.TxID, lastCell(labelled, orElse(u.Label, "-")))
	}
	return w.Flush()
}

// text is the state for people.
func (u unminedDoc) text() string {
	text := u.State + " and unverified, announced by others"
	switch {
	case u.By != "":
		return u.State + " with " + u.By
	case u.State != unconfirmed:
		return u.State
	case u.Own && u.Behind != "":
		text = u.State + ", our own, not announced"
	case u.Own:
		text = u.State + ", our own"
	case slices.ContainsFunc(u.Inputs, func(in inputDoc) bool { return in.Ours }):
		text = u.State + ", signed with our keys, announced by others"
	}
	if u.Behind != "" {
		text += ", behind " + u.Behind + ", which spends the same"
	}
	return text
}

func (u unminedDoc) amount() string {
	if u.State != unconfirmed {
		return "-"
	}
	return amount(u.Net)
}
