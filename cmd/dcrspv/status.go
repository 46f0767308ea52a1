package main

import (
	"context"
	"fmt"
	"text/tabwriter"
	"time"

	"dcrspv/spv"
	"dcrspv/wallet"
)

// runStatus tells how far the files are. Nobody is connected and nothing was
// asked or received, so the document says zero there.
func (p *program) runStatus(ctx context.Context) error {
	var st spv.Status
	var watched []watchedDoc
	var warnings []warningDoc
	err := p.withWallet(func(w *wallet.Wallet) error {
		err := p.offline(func(s *spv.Syncer) error {
			err := s.Check(ctx)
			st = s.Status()
			return err
		}, w)
		if err != nil {
			return err
		}
		if watched, err = p.readWatched(ctx, w); err != nil {
			return err
		}
		warnings, err = p.warnings(ctx, w, st)
		return err
	})
	if err != nil {
		return err
	}
	if p.opts.JSON {
		doc := newStatusDoc(networkName(p.set.params), st)
		doc.Warnings = warnings
		return p.printJSON(doc)
	}
	return p.printStatus(st, watched)
}

// ageText is how old the tip is, if it has any age.
func (p *program) ageText(tip spv.BlockInfo) string {
	if age := p.now().Sub(tip.Time); age >= time.Hour && tip.Height > 0 {
		return fmt.Sprintf(": the tip is %s old", longDuration(age))
	}
	return ""
}

func (p *program) printStatus(st spv.Status, watched []watchedDoc) error {
	w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "network\t%s\n", networkName(p.set.params))
	fmt.Fprintf(w, "directory\t%s\n", oneLine(p.set.dir))
	fmt.Fprintf(w, "headers\t0 to %d, of %s UTC%s\n", st.Tip.Height, st.Tip.Time.UTC().Format(time.DateTime), p.ageText(st.Tip))
	fmt.Fprintf(w, "tip\t%s\n", st.Tip.Hash)
	fmt.Fprintf(w, "filters\t%s\n", spanText(st.Filters))
	fmt.Fprintf(w, "scanned\t%s\n", spanText(st.Scanned))
	if st.Unscanned > 0 {
		fmt.Fprintf(w, "to scan\t%s\n", plural(int(st.Unscanned), "block"))
	}
	if t := st.Trouble; !t.IsZero() {
		fmt.Fprintf(w, "not synced\t%s UTC: %s\n", t.Since.UTC().Format(time.DateTime), oneLine(t.String()))
	}
	for i, e := range watched {
		title := ""
		if i == 0 {
			title = "watched"
		}
		fmt.Fprintf(w, "%s\t%s\n", title, e.text())
		if e.Warning != "" {
			fmt.Fprintf(w, "\twarning: %s\n", e.Warning)
		}
	}
	if len(watched) == 0 {
		fmt.Fprintf(w, "watched\tnothing: dcrspv watch ADDRESS\n")
	}
	return w.Flush()
}
