package main

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"text/tabwriter"
	"time"

	"dcrspv/wallet"
)

// entryDoc is an element of the document of history: a mined transaction.
type entryDoc struct {
	TxID   string `json:"txid"`
	Tree   int8   `json:"tree"`
	Height uint32 `json:"height"`
	Block  string `json:"block"`
	Time   int64  `json:"time"`
	Net    int64  `json:"net"`
	Label  string `json:"label"`
}

// historyFlags are those of history.
type historyFlags struct {
	Last    string `long:"last" value-name:"N" description:"only the last N transactions"`
	Unmined bool   `long:"unmined" description:"those that are not in a block, in place of those that are"`
}

func newEntryDocs(list []wallet.Tx) []entryDoc {
	docs := make([]entryDoc, 0, len(list))
	for _, tx := range list {
		docs = append(docs, entryDoc{
			TxID: tx.TxID.String(), Tree: tx.Tree, Height: tx.Height, Block: tx.Block.String(),
			Time: tx.Time.Unix(), Net: int64(tx.Net), Label: oneLine(tx.Label),
		})
	}
	return docs
}

func readHistory(ctx context.Context, w *wallet.Wallet) ([]entryDoc, error) {
	list, err := w.History(ctx)
	return newEntryDocs(list), err
}

// readLast reads the last n transactions, oldest first, without looking at
// those before.
func readLast(ctx context.Context, w *wallet.Wallet, n int) ([]entryDoc, error) {
	list, err := w.HistoryPage(ctx, nil, n)
	slices.Reverse(list)
	return newEntryDocs(list), err
}

func (p *program) runHistory(ctx context.Context) error {
	last, err := p.lastN()
	if err != nil {
		return err
	}
	return p.withWallet(func(w *wallet.Wallet) error {
		unmined, err := readUnmined(ctx, w)
		switch {
		case err != nil:
			return err
		case p.history.Unmined && p.opts.JSON:
			return p.printJSON(unmined)
		case p.history.Unmined:
			return p.printUnmined(unmined)
		}
		var mined []entryDoc
		if last > 0 {
			mined, err = readLast(ctx, w, last)
		} else {
			mined, err = readHistory(ctx, w)
		}
		switch {
		case err != nil:
			return err
		case p.opts.JSON:
			return p.printJSON(mined)
		case len(unmined) == 0:
			return p.printHistory(mined)
		}
		err = p.printHistory(mined)
		fmt.Fprintln(p.stdout)
		return firstError(err, p.printUnmined(unmined))
	})
}

// lastN is the number in --last; 0 without.
func (p *program) lastN() (int, error) {
	if p.history.Last == "" {
		return 0, nil
	}
	if p.history.Unmined {
		return 0, usage("give one of them", "--last counts mined transactions, --unmined lists the others")
	}
	n, err := strconv.Atoi(p.history.Last)
	if err != nil || n < 1 || n > math.MaxInt32 {
		return 0, usage("give a number from 1 on", "bad --last %q", p.history.Last)
	}
	return n, nil
}

func (p *program) printHistory(entries []entryDoc) error {
	if len(entries) == 0 {
		_, err := fmt.Fprintln(p.stdout, "no transactions in a block")
		return err
	}
	labelled := slices.ContainsFunc(entries, func(e entryDoc) bool { return e.Label != "" })
	w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "TIME (UTC)\tBLOCK\tAMOUNT\tTRANSACTION"+lastCell(labelled, "LABEL"))
	for _, e := range entries {
		fmt.Fprintf(w, "%s\t%d\t%s\t%s%s\n", time.Unix(e.Time, 0).UTC().Format(time.DateTime),
			e.Height, amount(e.Net), e.TxID, lastCell(labelled, orElse(e.Label, "-")))
	}
	return w.Flush()
}

// lastCell is a cell that a table ends with, if it is shown at all.
func lastCell(shown bool, text string) string {
	if !shown {
		return ""
	}
	return "\t" + text
}
