package wallet

import (
	"context"
	"errors"
	"fmt"
)

// watch adds something to the watch set, or gives it another birthday or label: an
// address, a script of any kind, one of an account's by itself, or an output.
func (d *freshWorld) watch() error {
	what := Watch{From: d.birthday(), Label: d.label()}
	name := ""
	switch d.rng.IntN(4) {
	case 0:
		n := d.rng.IntN(castSingles + castScripts)
		what.Scripts = [][]byte{singleScript(n)}
		name = d.nameOf(string(singleScript(n)))
	case 1:
		at := d.ownIndex()
		addr := castAddrs().indexed[at.key][at.branch][at.index]
		what.Addresses = []string{addr.String()}
		name = d.nameOf(string(scriptOf(addr)))
	case 2:
		at := d.ownIndex()
		raw := castAddrs().pubKeys[at.key][at.branch][at.index]
		what.Scripts = [][]byte{[]byte(raw)}
		name = d.nameOf(raw)
	case 3:
		o, ok := d.choosePoint()
		if !ok || d.isWrong(o) {
			return nil
		}
		what.OutPoints = []OutPoint{o}
		name = fmt.Sprintf("output %.4v:%d of %s", o.Hash, o.Index, d.nameOf(string(o.Script)))
	}
	err := d.w.Watch(context.Background(), what)
	if errors.Is(err, ErrScript) && len(what.OutPoints) > 0 {
		return nil // it is watched with another promise of the same ticket
	}
	d.tell("watch %s from %d, label %q", name, what.From, what.Label)
	return err
}

// watchKey adds an account, or widens one.
func (d *freshWorld) watchKey() error {
	n, wrapping := d.rng.IntN(castKeys), d.rng.IntN(2)
	what := Watch{
		XPubs: []string{d.keys[n][wrapping]}, From: d.birthday(), Label: d.label(),
		Gap: castGap + d.rng.Uint32N(2), PubKeys: d.rng.IntN(3) == 0,
	}
	d.tell("watch account %d (wrapping %d) from %d, gap %d, public keys %v, label %q",
		n, wrapping, what.From, what.Gap, what.PubKeys, what.Label)
	return d.w.Watch(context.Background(), what)
}

// birthday is low as a rule, and may be above the tip.
func (d *freshWorld) birthday() uint32 {
	if d.rng.IntN(4) == 0 {
		return d.rng.Uint32N(d.c.height() + 3)
	}
	return d.rng.Uint32N(min(d.c.height(), 12) + 1)
}

func (d *freshWorld) label() string {
	if d.rng.IntN(4) > 0 {
		return ""
	}
	return fmt.Sprint("label ", d.rng.IntN(4))
}

// unwatch takes an entry out of the watch set.
func (d *freshWorld) unwatch() error {
	list, err := d.w.Watched(context.Background())
	if err != nil || len(list) == 0 {
		return err
	}
	e := list[d.rng.IntN(len(list))]
	what, name := e.again(), d.nameOf(string(e.Script))
	if e.XPub != "" {
		for n, keys := range d.keys {
			for _, key := range keys {
				if key == e.XPub {
					what.XPubs[0], name = keys[d.rng.IntN(2)], fmt.Sprintf("account %d", n)
				}
			}
		}
	}
	d.tell("unwatch %s %v", name, what.OutPoints)
	return d.w.Unwatch(context.Background(), what)
}

// again is what makes an entry of the watch set.
func (e Watched) again() Watch {
	what := Watch{From: e.From, Label: e.Label, Gap: e.Gap, PubKeys: e.PubKeys}
	switch {
	case e.XPub != "":
		what.XPubs = []string{e.XPub}
	case e.TxID != hash{}:
		what.OutPoints = []OutPoint{{Hash: e.TxID, Index: e.Index, Script: e.Script}}
	default:
		what.Scripts = [][]byte{e.Script}
	}
	return what
}
