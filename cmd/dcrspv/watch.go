package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"dcrspv/spv"
	"dcrspv/wallet"
)

// withWallet opens wallet.db, creating it if there is none, for as long as do
// takes.
func (p *program) withWallet(do func(*wallet.Wallet) error) error {
	if err := p.set.makeDir(); err != nil {
		return err
	}
	w, err := wallet.Open(p.set.walletFile(), p.set.params)
	if err != nil {
		return err
	}
	p.warnOfExposed()
	return firstError(do(w), w.Close())
}

// parseTargets sorts the arguments of a command into scripts, extended public keys and
// addresses. What is all hex digits is a script, however long: no extended key is,
// for it begins with dpub or the like, nor any address, for its second letter.
func parseTargets(args []string) (what wallet.Watch, err error) {
	for _, arg := range args {
		script, err := hex.DecodeString(arg)
		switch {
		case errors.Is(err, hex.ErrLength):
			return what, usage("give it whole, two digits for each byte", "bad script %q: it has an odd number of hex digits", arg)
		case err == nil && len(script) > 0:
			what.Scripts = append(what.Scripts, script)
		case wallet.IsXPub(arg):
			what.XPubs = append(what.XPubs, arg)
		default:
			what.Addresses = append(what.Addresses, arg)
		}
	}
	return what, nil
}

// targetError makes a usage error of what the wallet says about an argument.
func targetError(err error) error {
	if errors.Is(err, wallet.ErrLabel) {
		return &failure{status: statusUsage, what: err.Error(), err: err, remedy: "give a short text of one line"}
	}
	for _, kind := range []error{wallet.ErrAddress, wallet.ErrXPub, wallet.ErrScript, wallet.ErrWrongNetwork} {
		if errors.Is(err, kind) {
			return &failure{
				status: statusUsage, what: err.Error(), err: err,
				remedy: "give addresses or extended public keys of the --network, scripts in hex, or outpoints as TXID:INDEX:SCRIPT",
			}
		}
	}
	return err
}

// since is the height that a --from means, or else --birthday, or genesis.
func (p *program) since(ctx context.Context, from string) (uint32, error) {
	w := heightOrDate{}
	switch {
	case from != "":
		var err error
		if w, err = parseHeightOrDate("--from", from, p.now()); err != nil {
			return 0, err
		}
	case p.set.birthday != nil:
		w = *p.set.birthday
	}
	return p.height(ctx, w)
}

// watchFlags are those of watch.
type watchFlags struct {
	From  string `long:"from" value-name:"HEIGHT|YYYY-MM-DD" description:"the block or day of the first payment; default: --birthday or genesis"`
	Gap   string `long:"gap" value-name:"N" description:"how many unused addresses in a row of an extended public key are watched; default: 20, or as it is"`
	Label string `long:"label" value-name:"TEXT" description:"a name for people, shown where they are listed"`

	PubKeys bool `long:"pubkeys" description:"of an extended public key also what pays its public keys themselves, for twice the scripts"`
}

// watchDoc is the document of watch and unwatch: the watch set afterwards.
type watchDoc struct {
	Watched []watchedDoc `json:"watched"`
}

// watchedDoc is an address, an extended public key or, if it has no address, a
// script in hex; the others are empty. Of an outpoint it is all but the key.
type watchedDoc struct {
	Address  string `json:"address,omitempty"`
	XPub     string `json:"xpub,omitempty"`
	Script   string `json:"script,omitempty"`
	OutPoint string `json:"outpoint,omitempty"`
	From     uint32 `json:"from"`
	Label    string `json:"label"`

	// Of an extended public key: how many addresses are watched, and why something
	// may not be found.
	Gap      uint32 `json:"gap,omitempty"`
	External uint32 `json:"external,omitempty"`
	Internal uint32 `json:"internal,omitempty"`
	PubKeys  bool   `json:"pubkeys,omitempty"` // what pays the keys themselves is watched too
	Warning  string `json:"warning,omitempty"`
}

func newWatchedDoc(e wallet.Watched) watchedDoc {
	doc := watchedDoc{
		Address: e.Address, XPub: e.XPub, OutPoint: outPointName(e), From: e.From, Label: oneLine(e.Label),
		Gap: e.Gap, External: e.External, Internal: e.Internal, PubKeys: e.PubKeys,
	}
	if e.Address == "" || doc.OutPoint != "" {
		doc.Script = hex.EncodeToString(e.Script)
	}
	return doc
}

// text is an entry of the watch set for people.
func (d watchedDoc) text() string {
	what := d.Address + d.XPub + d.Script
	if d.OutPoint != "" {
		what = d.OutPoint + " of " + orElse(d.Address, d.Script)
	}
	s := fmt.Sprintf("%s from block %d", what, d.From)
	if d.XPub != "" {
		s += fmt.Sprintf(", %d external and %d internal addresses, gap %d", d.External, d.Internal, d.Gap)
	}
	if d.PubKeys {
		s += ", and their public keys"
	}
	if d.Label != "" {
		s += ", " + d.Label
	}
	return s
}

func (p *program) runWatch(ctx context.Context) error {
	if len(p.args) == 0 {
		if p.watch != (watchFlags{}) {
			return usage("see dcrspv watch --help", "watch needs ADDR, XPUB, SCRIPT or TXID:INDEX:SCRIPT")
		}
		return p.withWallet(func(w *wallet.Wallet) error { return p.reportWatched(ctx, w, "") })
	}
	from, err := p.since(ctx, p.watch.From)
	if err != nil {
		return err
	}
	gap, err := p.gap()
	if err != nil {
		return err
	}
	what, err := namedOutPoints(p.args, true)
	if err != nil {
		return err
	}
	if p.watch.PubKeys && len(what.XPubs) == 0 {
		return usage("give an extended public key: an address does not tell its public key", "--pubkeys without an extended public key")
	}
	return p.withWallet(func(w *wallet.Wallet) error {
		fresh, known, err := p.splitKnown(ctx, w)
		if err != nil {
			return err
		}
		for _, part := range []struct {
			names []string
			from  uint32
		}{{fresh, from}, {known, maxHeight}} {
			what, err := namedOutPoints(part.names, true)
			if err != nil {
				return err
			}
			what.From, what.Gap, what.Label, what.PubKeys = part.from, gap, p.watch.Label, p.watch.PubKeys
			if err := w.Watch(ctx, what); err != nil {
				return targetError(err)
			}
		}
		done := "Watched already; what is new about it is kept."
		if len(fresh) > 0 {
			done = fmt.Sprintf("Watching from block %d. Run sync to test the blocks since then.", from)
		}
		return p.reportWatched(ctx, w, done)
	})
}

// splitKnown takes apart what is watched already. Unless --from says otherwise
// that keeps its birthday: who changes a label or a gap wants nothing scanned
// again.
func (p *program) splitKnown(ctx context.Context, w *wallet.Wallet) (fresh, known []string, err error) {
	if p.watch.From != "" {
		return p.args, nil, nil
	}
	list, err := w.Watched(ctx)
	watched := make(map[string]bool)
	for _, e := range list {
		if name := outPointName(e); name != "" {
			watched[name] = true
			continue
		}
		watched[e.Address+e.XPub] = true
		watched[hex.EncodeToString(e.Script)] = true
	}
	for _, name := range p.args {
		key := strings.ToLower(name)
		if o, err := parseOutPoint(name, true); err == nil {
			key = o.String()
		}
		if watched[name] || watched[key] {
			known = append(known, name)
		} else {
			fresh = append(fresh, name)
		}
	}
	return fresh, known, err
}

// maxGap is the highest --gap that a wallet takes.
const maxGap = 10_000

// gap is the number in --gap; 0 without, for the wallet to choose.
func (p *program) gap() (uint32, error) {
	if p.watch.Gap == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(p.watch.Gap, 10, 32)
	if err != nil || n == 0 || n > maxGap {
		return 0, usage(fmt.Sprintf("give a number of addresses, from 1 to %d", maxGap), "bad --gap %q", p.watch.Gap)
	}
	return uint32(n), nil
}

func (p *program) runUnwatch(ctx context.Context) error {
	what, err := namedOutPoints(p.args, false)
	if err != nil {
		return err
	}
	return p.withWallet(func(w *wallet.Wallet) error {
		err := w.Unwatch(ctx, what)
		if errors.Is(err, wallet.ErrNotWatched) {
			return &failure{status: statusFailed, what: err.Error(), err: err, remedy: "status lists nothing of it, so there is nothing to do"}
		}
		if err != nil {
			return targetError(err)
		}
		return p.reportWatched(ctx, w, "No longer watched, and what was found of it is forgotten.")
	})
}

// readWatched is the watch set, with what was found to be doubtful about it.
func (p *program) readWatched(ctx context.Context, w *wallet.Wallet) ([]watchedDoc, error) {
	list, err := w.Watched(ctx)
	if err != nil {
		return nil, err
	}
	warnings, err := p.warnings(ctx, w, spv.Status{})
	texts := warned(warnings)
	docs := make([]watchedDoc, 0, len(list))
	for _, e := range list {
		doc := newWatchedDoc(e)
		doc.Warning = texts[doc.XPub]
		docs = append(docs, doc)
	}
	return docs, err
}

// reportWatched prints the watch set, or only its size after words that say
// what was done.
func (p *program) reportWatched(ctx context.Context, w *wallet.Wallet, done string) error {
	list, err := p.readWatched(ctx, w)
	if err != nil {
		return err
	}
	doc := watchDoc{Watched: list}
	switch {
	case p.opts.JSON:
		return p.printJSON(doc)
	case done != "":
		_, err = fmt.Fprintf(p.stdout, "%s\nThe watch set has %s.\n", done, plural(len(list), "entry"))
	case len(list) == 0:
		_, err = fmt.Fprintln(p.stdout, "nothing is watched: dcrspv watch ADDRESS")
	default:
		for _, e := range doc.Watched {
			fmt.Fprintln(p.stdout, e.text())
			if e.Warning != "" {
				fmt.Fprintf(p.stdout, "  warning: %s\n", e.Warning)
			}
		}
	}
	return err
}
