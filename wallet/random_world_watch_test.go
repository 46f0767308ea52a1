package wallet

import (
	"context"
	"maps"
	"slices"

	"github.com/decred/dcrd/wire"
)

// watch adds something to the watch set, or gives it a lower birthday.
func (d *driver) watch() {
	d.t.Helper()
	from := d.rng.Uint32N(min(d.c.height(), 12) + 1)
	if d.rng.IntN(4) == 0 {
		from = d.rng.Uint32N(d.c.height() + 3)
	}
	switch d.rng.IntN(3) {
	case 0:
		n := d.rng.IntN(castSingles)
		if d.rng.IntN(4) == 0 {
			n = castSingles + d.rng.IntN(castScripts)
		}
		d.watchSingle(n, from)
		return
	case 1:
		d.watchPoint(from)
		return
	}
	d.watchAccount(d.rng.IntN(castKeys), castAccount{from, castGap + d.rng.Uint32N(2), d.rng.IntN(3) == 0})
}

func (d *driver) watchSingle(n int, from uint32) {
	d.t.Helper()
	what := Watch{Scripts: [][]byte{singleScript(n)}, From: from}
	d.do("Watch", func() error { return d.w.Watch(context.Background(), what) }, func() {
		d.singles[n] = true
		d.alone.lower(string(singleScript(n)), from)
	})
}

func (d *driver) watchAccount(key int, want castAccount) {
	d.t.Helper()
	what := Watch{XPubs: []string{castAddrs().keys[key]}, From: want.from, Gap: want.gap, PubKeys: want.pubKeys}
	d.do("Watch account", func() error { return d.w.Watch(context.Background(), what) }, func() {
		a := d.accounts[key]
		if a == nil {
			a = new(want)
			d.accounts[key] = a
		}
		for s, at := range d.index {
			if old, ok := d.set[s]; at.key == key && want.from < a.from && (!ok || want.from < old) { // also those ahead of the gap
				delete(d.tested, s)
			}
		}
		a.from, a.gap, a.pubKeys = min(a.from, want.from), max(a.gap, want.gap), a.pubKeys || want.pubKeys
	})
}

// lower adds an entry with its birthday, or a lower one.
func (s birthdays) lower(entry string, from uint32) {
	if old, ok := s[entry]; !ok || from < old {
		s[entry] = from
	}
}

// unwatch takes something out of the watch set.
func (d *driver) unwatch() {
	d.t.Helper()
	var what Watch
	n, key := d.rng.IntN(len(d.singles)), d.rng.IntN(castKeys)
	account := d.rng.IntN(3) == 0
	point := -1
	switch {
	case len(d.points) > 0 && d.rng.IntN(3) == 0:
		point = d.rng.IntN(len(d.points))
		what.OutPoints = []OutPoint{d.points[point]}
		if d.rng.IntN(2) == 0 {
			what.OutPoints[0].Script = nil
		}
	case account && d.accounts[key] != nil:
		what.XPubs = []string{castAddrs().keys[key]}
	case !account && d.singles[n]:
		what.Scripts = [][]byte{singleScript(n)}
	default:
		return
	}
	d.do("Unwatch", func() error { return d.w.Unwatch(context.Background(), what) }, func() {
		if point >= 0 {
			delete(d.alone, pointKey(d.points[point]))
			d.points = slices.Delete(d.points, point, point+1)
		} else if !account {
			d.singles[n] = false
			delete(d.alone, string(singleScript(n)))
		} else {
			d.accounts[key] = nil
			d.derived[key] = [2]uint32{}
		}
		d.derive()
		gone := make(map[hash]bool)
		v := *d.cast
		v.c = d.view
		t := v.read(d.set, min(d.view.height(), d.tip()), true) // what the next block's votes say is not known yet
		for id := range d.known {
			height, mined := t.mined[id]
			if !d.paysWatched(d.made[id]) || mined && !d.foundAt(d.made[id], height) {
				gone[id] = true
			}
		}
		d.lose(gone)
		for id := range gone { // it may be found again, and then counts again
			if d.paysWatched(d.made[id]) {
				continue
			}
			delete(d.dropped, id)
		}
	})
}

// tip is the wallet's.
func (d *driver) tip() uint32 {
	d.t.Helper()
	ids, err := d.w.Locator(context.Background())
	if err != nil {
		d.t.Fatal(err)
	}
	if len(ids) == 0 {
		return 0
	}
	return ids[0].Height
}

// foundAt reports whether a transaction at a height pays a script that was tested
// there: not below its birthday, nor too recently watched.
func (d *driver) foundAt(tx *wire.MsgTx, height uint32) bool {
	for _, script := range d.matters(tx) {
		from, ok := d.set[script]
		tested := d.tested[script]
		if ok && from <= height && height < uint32(len(tested)) && tested[height] {
			return true
		}
	}
	return false
}

// watches reports whether a transaction that pays a script, and waits, is the wallet's.
func (d *driver) watches(script string) bool {
	if _, ok := d.set[script]; ok {
		return true
	}
	s := d.w.scripts[script]
	return s != nil && s.awaited
}

// owns reports whether what a ticket commits to pay a script is the wallet's.
func (d *driver) owns(ticket *wire.MsgTx, script string) bool {
	_, alone := d.set[pointKey(OutPoint{d.id(ticket), 0, []byte(script)})]
	return alone || d.watches(script)
}

// paysWatched reports whether a transaction pays a watched script, of whatever
// birthday, or is a ticket that commits to.
func (d *driver) paysWatched(tx *wire.MsgTx) bool {
	tree := 0
	if treeOf(tx) != 0 {
		tree = 1
	}
	for i, out := range tx.TxOut {
		if i == 0 && isTicket(tx) {
			if amount, _ := promised(tx, func(script string) bool { return d.owns(tx, script) }); amount > 0 {
				return true
			}
			continue
		}
		_, alone := d.set[pointKey(d.pointOf(tx, i))]
		if (alone || d.watches(string(untagged(tree, out.PkScript)))) && out.Version == 0 && out.Value > 0 {
			return true
		}
	}
	return false
}

// derive follows what is watched: by itself, and as the wallet derives it of accounts.
// How far it has to, and may, is checked elsewhere.
func (d *driver) derive() {
	d.t.Helper()
	list, err := d.w.Watched(context.Background())
	if err != nil {
		d.t.Fatal(err)
	}
	set := maps.Clone(d.alone)
	for key, name := range castAddrs().keys {
		for _, item := range list {
			if item.XPub != name {
				continue
			}
			a := d.accounts[key]
			if a == nil || item.From != a.from || item.Gap != a.gap || item.PubKeys != a.pubKeys {
				d.t.Fatalf("account %d: %+v, not %+v", key, item, a)
			}
			for branch, n := range []uint32{item.External, item.Internal} {
				for i := range min(n, castIndices) {
					set.lower(string(scriptOf(castAddrs().indexed[key][branch][i])), a.from)
					if a.pubKeys {
						set.lower(castAddrs().pubKeys[key][branch][i], a.from)
					}
				}
				d.derived[key][branch] = n
			}
		}
	}
	for script, old := range d.set {
		from, ok := set[script]
		at, indexed := d.index[script]
		ahead := indexed && d.accounts[at.key] != nil && (d.accounts[at.key].pubKeys || !at.pubKey)
		if ok && from < old || !ok && !ahead {
			delete(d.tested, script) // it is tested again
		}
	}
	d.set = set
	d.loseRemoved()
}

// loseRemoved gives up what the wallet has removed because an account reaches less far
// than it did.
func (d *driver) loseRemoved() {
	d.t.Helper()
	if err := d.replay.follow(d.w); err != nil {
		d.t.Fatal(err)
	}
	gone, withdrawn := make(map[hash]bool), false
	for _, ev := range d.replay.log[d.removed:] {
		withdrawn = withdrawn || ev.Kind == EventWithdrawn
		if tx := d.made[ev.Tx]; ev.Kind == EventRemoved && tx != nil && (withdrawn || !d.paysWatched(tx)) {
			gone[ev.Tx] = true
		}
	}
	d.removed = len(d.replay.log)
	d.lose(gone)
}

// matters are the scripts and outpoints by which a transaction would be found if it
// were mined.
func (d *driver) matters(tx *wire.MsgTx) (scripts []string) {
	tree := 0
	if treeOf(tx) != 0 {
		tree = 1
	}
	ticket := isTicket(tx)
	for i, out := range tx.TxOut {
		if out.Version == 0 && out.Value > 0 && !(ticket && i == 0) {
			scripts = append(scripts, string(untagged(tree, out.PkScript)), pointKey(d.pointOf(tx, i)))
		}
	}
	if ticket {
		all, _ := promises(tx)
		for _, p := range all {
			scripts = append(scripts, p.script, pointKey(OutPoint{d.id(tx), 0, []byte(p.script)}))
		}
	}
	return scripts
}
