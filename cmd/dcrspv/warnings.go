package main

import (
	"context"
	"fmt"
	"strings"

	"dcrspv/spv"
	"dcrspv/wallet"
)

// warningDoc is something that may hide money although everything is in sync.
type warningDoc struct {
	About  string `json:"about"` // an entry of the watch set, a flag, or "tip"
	What   string `json:"what"`
	Remedy string `json:"remedy"`
}

func (d warningDoc) String() string { return d.What + ": " + d.Remedy }

// line is a warning for people, as it stands beside the lines of progress.
func (d warningDoc) line() string {
	return fmt.Sprintf("%-11s %s: %s", "warning", oneLine(d.About), oneLine(d.String()))
}

// warnings are what the wallet and the status tell. Only in sync it is known what is
// above the tip.
func (p *program) warnings(ctx context.Context, w *wallet.Wallet, st spv.Status) ([]warningDoc, error) {
	docs := []warningDoc{}
	if st.Synced {
		if !st.OldTip.IsZero() {
			docs = append(docs, oldTip(st.OldTip))
		}
		watched, err := w.Watched(ctx)
		if err != nil {
			return nil, err
		}
		docs = append(docs, p.aboveTip(watched, st)...)
	}
	doubts, err := w.Warnings(ctx)
	for _, d := range doubts {
		docs = append(docs, doubt(d))
	}
	return docs, err
}

// oldTip tells that the tip is old.
func oldTip(t spv.Trouble) warningDoc {
	return warningDoc{About: "tip", What: oneLine(t.Cause), Remedy: t.Remedy}
}

// aboveTip tells of birthdays that no block has reached: one line, however many.
func (p *program) aboveTip(watched []wallet.Watched, st spv.Status) []warningDoc {
	var doc warningDoc
	var first uint32
	others := -1
	note := func(about string, from uint32) {
		if from <= st.Tip.Height {
			return
		}
		if others++; others == 0 {
			doc.About, first = about, from
		}
	}
	for _, e := range watched {
		doc := newWatchedDoc(e)
		note(orElse(outPointName(e), doc.Address+doc.XPub+doc.Script), e.From)
	}
	if p.set.birthday != nil {
		note("--birthday", p.set.birthday.height) // 0 if it is a day
	}
	if from, err := parseHeightOrDate("--from", p.span.From, p.now()); err == nil && (len(p.args) == 0 || !p.span.Quick) {
		note("--from", from.height)
	}
	if others < 0 {
		return nil
	}
	doc.What = fmt.Sprintf("begins at block %d, which is above the tip, %d", first, st.Tip.Height)
	if others > 0 {
		doc.What += fmt.Sprintf(" (and %s)", plural(others, "other"))
	}
	doc.Remedy = "nothing before it is looked at, so give a lower height if it was paid already"
	return []warningDoc{doc}
}

// doubt is a warning of the wallet in words.
func doubt(d wallet.Warning) warningDoc {
	address := fmt.Sprintf("%s address %d", [...]string{"external", "internal"}[d.Branch], d.Index)
	doc := warningDoc{About: d.XPub}
	switch d.Kind {
	case wallet.WarnBirthday:
		doc.What = fmt.Sprintf("the first of its %s addresses in use since block %d is number %d, so those before it may have been used earlier",
			strings.Fields(address)[0], d.From, d.Index)
		doc.Remedy = "watch it again with a lower --from"
	case wallet.WarnEdge:
		doc.What = fmt.Sprintf("the last one in use, %s, has %d unused ones before it, and whatever lies %d or more beyond it is not seen",
			address, d.Unused, d.Gap+1)
		doc.Remedy = fmt.Sprintf("watch it again with --gap %d if more addresses were given out", min(2*d.Gap, maxGap))
	case wallet.WarnUsualGap:
		doc.What = fmt.Sprintf("%s is in use and has %d unused ones before it, so a wallet that is restored with the usual gap of 20 does not find it",
			address, d.Unused)
		doc.Remedy = fmt.Sprintf("keep the gap, %d, with the key", d.Gap)
	case wallet.WarnGivenOut:
		doc.What = fmt.Sprintf("%s was given out, and a reorg has left %d unused ones before it, so a wallet that is restored with a gap of %d does not find it",
			address, d.Unused, d.Gap)
		doc.Remedy = fmt.Sprintf("watch it again with --gap %d, and keep that with the key", min(d.Unused+1, maxGap))
	}
	return doc
}

// printWarnings prints them beside the answer, on standard error.
func (p *program) printWarnings(docs []warningDoc) {
	for _, d := range docs {
		fmt.Fprintln(p.stderr, d.line())
	}
}

// warned are the warnings of each entry of the watch set, in words.
func warned(docs []warningDoc) map[string]string {
	texts := make(map[string]string)
	for _, d := range docs {
		texts[d.About] = strings.TrimPrefix(texts[d.About]+"; "+d.String(), "; ")
	}
	return texts
}
