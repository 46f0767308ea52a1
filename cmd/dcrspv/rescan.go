package main

import (
	"context"
	"fmt"
	"math"
	"os"
	"slices"
	"time"

	"dcrspv/spv"
	"dcrspv/spv/chain"
	"dcrspv/wallet"
)

// rescanDoc is the document of rescan. Of the watch set it has all that the wallet has,
// whatever the range.
type rescanDoc struct {
	statusDoc
	From     uint32     `json:"from"`     // the range: the history is what it holds,
	To       uint32     `json:"to"`       // balance and utxos are as of its end
	Complete bool       `json:"complete"` // nothing is left out
	Balance  balanceDoc `json:"balance"`
	History  []entryDoc `json:"history"`
	Utxos    []utxoDoc  `json:"utxos"`
}

// question is what a rescan is to find out.
type question struct {
	chain.Range        // what is asked about
	tested      uint32 // the first block that is tested
	complete    bool   // nothing is left out then
}

// runRescan tests the watch set again, or asks about other addresses, over a
// range of blocks.
func (p *program) runRescan(ctx context.Context) error {
	if err := p.checkRange(); err != nil {
		return err
	}
	if len(p.args) == 0 {
		if p.span.PubKeys {
			return usage("leave it out: the watch set says it itself", "--pubkeys is for a question about an XPUB")
		}
		return p.rescanWatched(ctx)
	}
	// The addresses are checked before anything is fetched for them.
	what, err := parseTargets(p.args)
	if err != nil {
		return err
	}
	if what.PubKeys = p.span.PubKeys; what.PubKeys && len(what.XPubs) == 0 {
		return usage("leave it out", "--pubkeys is about extended public keys, and none was given")
	}
	w, done, err := p.openQuestion()
	if err != nil {
		return err
	}
	defer done()
	what.From = math.MaxInt32
	if err := w.Watch(ctx, what); err != nil {
		return targetError(err)
	}
	own, err := p.ownWatched(ctx)
	if err != nil {
		return err
	}
	for _, e := range own { // a key that is watched is looked through as widely
		if slices.Contains(what.XPubs, e.XPub) {
			what.Gap, what.PubKeys = max(what.Gap, e.Gap), what.PubKeys || e.PubKeys
		}
	}
	q, err := p.ask(ctx, w, own)
	if err != nil {
		return err
	}
	what.From = q.tested
	if err := w.Watch(ctx, what); err != nil {
		return err
	}
	return p.rescan(ctx, w, spv.Limit(w, q.To), q)
}

// rescanWatched has the watch set tested again. What was found of it before stays,
// so nothing is left out.
func (p *program) rescanWatched(ctx context.Context) error {
	from, to, err := p.scanRange(ctx)
	if err != nil {
		return err
	}
	return p.withWallet(func(w *wallet.Wallet) error {
		if err := w.Rescan(ctx, from, to); err != nil {
			return err
		}
		return p.rescan(ctx, w, w, question{Range: chain.Range{From: from, To: to}, complete: true})
	})
}

// ask makes heights of the flags. What is asked about is true only if all blocks
// before it are known in which the addresses may have been used: a coin from there may
// be spent in the range, and a gap that begins there may end in it.
func (p *program) ask(ctx context.Context, w *wallet.Wallet, own []wallet.Watched) (q question, err error) {
	if q.From, q.To, err = p.scanRange(ctx); err != nil {
		return q, err
	}
	first, err := p.firstUse(ctx, w, own)
	if err != nil {
		return q, err
	}
	if p.span.From == "" {
		q.From = first
	}
	q.tested, q.complete = min(first, q.From), true
	if p.span.Quick {
		q.tested, q.complete = q.From, q.From <= first
	}
	return q, nil
}

// firstUse is the block from which on the addresses that w watches may have been used:
// --birthday, or the birthday that all of them have in the watch set, or genesis.
func (p *program) firstUse(ctx context.Context, w *wallet.Wallet, own []wallet.Watched) (uint32, error) {
	if p.set.birthday != nil {
		return p.since(ctx, "")
	}
	asked, err := w.Watched(ctx)
	if err != nil {
		return 0, err
	}
	births := make(map[string]uint32)
	for _, e := range own {
		if outPointName(e) != "" {
			continue // says nothing of what else pays its script
		}
		births[e.XPub+string(e.Script)] = e.From
	}
	first := uint32(math.MaxUint32)
	for _, e := range asked {
		first = min(first, births[e.XPub+string(e.Script)]) // 0 if it is not there
	}
	return first, nil
}

// ownWatched is the watch set of the program's own wallet.
func (p *program) ownWatched(ctx context.Context) (list []wallet.Watched, err error) {
	if _, err := os.Stat(p.set.walletFile()); err != nil {
		return nil, nil // nothing was ever watched
	}
	err = p.withWallet(func(w *wallet.Wallet) error {
		list, err = w.Watched(ctx)
		return err
	})
	return list, err
}

// rescan syncs and prints what the wallet then has.
func (p *program) rescan(ctx context.Context, w *wallet.Wallet, seen spv.Wallet, q question) error {
	st, err := p.syncOnce(ctx, spv.Settled, seen)
	if err != nil {
		return p.reportSync(st, err)
	}
	doc := rescanDoc{
		statusDoc: newStatusDoc(networkName(p.set.params), st),
		From:      q.From, To: min(q.To, st.Tip.Height), Complete: q.complete,
	}
	if doc.Warnings, err = p.warnings(ctx, w, st); err != nil {
		return err
	}
	if !q.complete {
		doc.Warnings = append(doc.Warnings, q.warning())
	}
	balance, err := w.Balance(ctx)
	if err != nil {
		return err
	}
	doc.Balance = newBalanceDoc(balance)
	if doc.History, err = readHistory(ctx, w); err != nil {
		return err
	}
	if doc.Utxos, err = readUtxos(ctx, w); err != nil {
		return err
	}
	if len(p.args) > 0 {
		doc.History = slices.DeleteFunc(doc.History, func(e entryDoc) bool { return e.Height < q.From })
	}
	if p.opts.JSON {
		return p.printJSON(doc)
	}
	p.printWarnings(doc.Warnings)
	fmt.Fprintf(p.stdout, "Scanned blocks %s\n\n", spanText(st.Scanned))
	err = p.printHistory(doc.History)
	fmt.Fprintln(p.stdout)
	return firstError(err, p.printBalance(balance))
}

// warning tells what a quick answer may leave out.
func (q question) warning() warningDoc {
	return warningDoc{
		About: "--quick",
		What: fmt.Sprintf("no block before %d was tested, so what spends older coins is missing, and of an extended key what lies beyond a gap that begins before",
			q.From),
		Remedy: "leave it out for the whole truth",
	}
}

// checkRange reports a wrong --from or --to.
func (p *program) checkRange() error {
	var ends [2]*heightOrDate
	for i, flag := range []struct{ name, value string }{{"--from", p.span.From}, {"--to", p.span.To}} {
		if flag.value == "" {
			continue
		}
		w, err := parseHeightOrDate(flag.name, flag.value, p.now())
		if err != nil {
			return err
		}
		ends[i] = &w
	}
	from, to := ends[0], ends[1]
	if from == nil || to == nil || from.day.IsZero() != to.day.IsZero() {
		return nil
	}
	if from.height > to.height || from.day.After(to.day) {
		return usage("swap them", "--from %s is after --to %s", p.span.From, p.span.To)
	}
	return nil
}

// scanRange makes heights of --from and --to. Of a height and a date it shows only then
// which is first.
func (p *program) scanRange(ctx context.Context) (from, to uint32, err error) {
	from, to, err = p.rangeHeights(ctx)
	if err == nil && from > to {
		first := "--from " + p.span.From
		if p.span.From == "" {
			first = "--birthday " + p.opts.Birthday
		}
		err = usage("swap them", "%s, block %d, is after --to %s, block %d", first, from, p.span.To, to)
	}
	return from, to, err
}

// rangeHeights is scanRange without a check. A date that the stored headers do not
// reach has the headers fetched first.
func (p *program) rangeHeights(ctx context.Context) (from, to uint32, err error) {
	if from, err = p.since(ctx, p.span.From); err != nil || p.span.To == "" {
		return from, math.MaxInt32, err
	}
	w, err := parseHeightOrDate("--to", p.span.To, p.now())
	if err != nil {
		return 0, 0, err
	}
	to, reached, err := p.lastHeight(ctx, w)
	if err != nil || reached {
		return from, to, err
	}
	st, err := p.syncOnce(ctx, spv.Synced)
	if err != nil {
		return 0, 0, p.reportSync(st, err)
	}
	if from, err = p.since(ctx, p.span.From); err == nil {
		to, _, err = p.lastHeight(ctx, w)
	}
	return from, to, err
}

// lastHeight is the last block that a --to means: of the day after the one
// given, for the same margin that --from has. reached tells that the stored
// headers go beyond.
func (p *program) lastHeight(ctx context.Context, w heightOrDate) (height uint32, reached bool, err error) {
	if w.day.IsZero() {
		return w.height, true, nil
	}
	err = p.offline(func(s *spv.Syncer) (err error) {
		height, reached, err = s.HeightAfter(ctx, w.day.Add(24*time.Hour))
		return err
	})
	if !reached {
		height = math.MaxInt32
	}
	return height, reached, err
}
