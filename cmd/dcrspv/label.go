package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"text/tabwriter"

	"dcrspv/wallet"
)

// labelDoc is an element of the document of label: all labels there are.
type labelDoc struct {
	Name  string `json:"name"` // address, extended public key or transaction
	Label string `json:"label"`
}

// runLabel sets a label, or lists all of them.
func (p *program) runLabel(ctx context.Context) error {
	if len(p.args) == 1 {
		return usage(`dcrspv label NAME "" takes a label away`, "label needs NAME and TEXT")
	}
	return p.withWallet(func(w *wallet.Wallet) error {
		if len(p.args) == 2 {
			if err := w.SetLabel(ctx, p.args[0], p.args[1]); err != nil {
				return badLabel(err)
			}
		}
		labels, err := w.Labels(ctx)
		if err != nil {
			return err
		}
		doc := make([]labelDoc, 0, len(labels))
		for _, name := range slices.Sorted(maps.Keys(labels)) {
			doc = append(doc, labelDoc{Name: name, Label: oneLine(labels[name])})
		}
		switch {
		case p.opts.JSON:
			return p.printJSON(doc)
		case len(p.args) == 0:
			return p.printLabels(doc)
		case p.args[1] == "":
			_, err = fmt.Fprintf(p.stdout, "%s has no label\n", oneLine(p.args[0]))
		default:
			_, err = fmt.Fprintf(p.stdout, "%s is labelled %s\n", oneLine(p.args[0]), oneLine(p.args[1]))
		}
		return err
	})
}

// badLabel says what to do about a name or a text that the wallet refuses.
func badLabel(err error) error {
	if errors.Is(err, wallet.ErrNotWatched) {
		return &failure{
			status: statusFailed, what: err.Error(), err: err,
			remedy: "give an address or key that is watched, or a transaction that history lists",
		}
	}
	return targetError(err)
}

func (p *program) printLabels(labels []labelDoc) error {
	if len(labels) == 0 {
		_, err := fmt.Fprintln(p.stdout, "no labels")
		return err
	}
	w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	for _, l := range labels {
		fmt.Fprintf(w, "%s\t%s\n", l.Name, l.Label)
	}
	return w.Flush()
}
