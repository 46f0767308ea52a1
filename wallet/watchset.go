package wallet

import (
	"bytes"
	"cmp"
	"maps"
	"math"
	"slices"

	"dcrspv/wallet/internal/keys"
)

// watchSet is what is watched, and what is ahead of a gap.
type watchSet struct {
	accounts    map[uint32]*account
	scripts     map[string]*script // those watched as such, and those ahead of a gap
	outpoints   map[outPoint]*script
	outpointsOf map[string]int // how many of them pay a script
}

func newWatchSet() watchSet {
	return watchSet{
		accounts: make(map[uint32]*account), scripts: make(map[string]*script),
		outpoints: make(map[outPoint]*script), outpointsOf: make(map[string]int),
	}
}

// loadAccounts reads the accounts, without their scripts.
func (w *Wallet) loadAccounts(b *buckets) error {
	return b.accounts.ForEach(func(k, v []byte) error {
		a, err := decodeAccount(k, v, w.params)
		switch {
		case err != nil:
			return err
		case uint64(a.id) > b.accounts.tally.last:
			return corrupt("account %d is yet to come", a.id)
		}
		w.accounts[a.id] = a
		return nil
	})
}

// noKeys is how many indices of a branch may have no key. In 2^127 one has none, so
// that two at once are damage.
const noKeys = 1

// loadScripts reads the scripts, into their accounts and groups too.
func (w *cache) loadScripts(b *buckets) error {
	n := b.scripts.tally.count // a map that grows takes twice as long
	w.scripts = make(map[string]*script, n)
	for _, a := range w.accounts {
		known := [keys.Branches]uint32{a.branches[0].known, a.branches[1].known}
		if uint64(known[0])+uint64(known[1]) > n+keys.Branches*noKeys {
			return corrupt("account %d: %d scripts for %d and %d indices", a.id, n, known[0], known[1])
		}
		for i := range a.branches {
			a.branches[i].makeRoom()
		}
	}
	return b.scripts.ForEach(func(k, v []byte) error {
		s, group, birthday, ok := decodeScript(k, v)
		if !ok || !w.ledger.LoadScript(s, group, birthday, s.watched()) {
			return corrupt("watched script %.40x", k)
		}
		of := w.branchOf(s)
		if s.account != 0 && (of == nil || s.index >= of.known || s.ahead != (s.index >= of.derived)) {
			return corrupt("script %.40x is of no account", k)
		}
		if of != nil && !of.put(s) {
			return corrupt("script %.40x is not of its account", k)
		}
		if birthday != w.birthdayOf(s) || s.usedAt != unused && (of == nil || s.usedAt < of.of.birthday) {
			return corrupt("script %.40x: birthday %d, used at %d", k, birthday, s.usedAt)
		}
		w.scripts[s.raw] = s
		return nil
	})
}

// loadOutpoints reads the watched outpoints, into their groups too.
func (w *cache) loadOutpoints(b *buckets) error {
	return b.points.ForEach(func(k, v []byte) error {
		s, group, birthday, ok := decodeOutpoint(k, v)
		if !ok || !w.ledger.LoadScript(s, group, birthday, true) {
			return corrupt("watched outpoint %.40x", k)
		}
		w.addEntry(s)
		return nil
	})
}

// addEntry enters a script or an outpoint.
func (w *watchSet) addEntry(s *script) {
	if s.outpoint == nil {
		w.scripts[s.raw] = s
		return
	}
	w.outpoints[*s.outpoint] = s
	w.outpointsOf[s.raw]++
}

// removeEntry takes out a script or an outpoint.
func (w *watchSet) removeEntry(s *script) {
	if s.outpoint == nil {
		delete(w.scripts, s.raw)
		return
	}
	delete(w.outpoints, *s.outpoint)
	if w.outpointsOf[s.raw]--; w.outpointsOf[s.raw] == 0 {
		delete(w.outpointsOf, s.raw)
	}
}

func (w *watchSet) addAccount(a *account) { w.accounts[a.id] = a }

func (w *watchSet) removeAccount(a *account) { delete(w.accounts, a.id) }

// same is the entry for the same script or outpoint; nil if there is none.
func (w *watchSet) same(as *script) *script {
	if as.outpoint != nil {
		return w.outpoints[*as.outpoint]
	}
	return w.scripts[as.raw]
}

// entries are those of the watch set, and the scripts ahead of it, that may claim an
// output.
func (w *watchSet) entries(op outPoint, raw string) (out []*script) {
	if s := w.scripts[raw]; s != nil {
		out = append(out, s)
	}
	if s := w.outpoints[op]; s != nil && s.raw == raw {
		out = append(out, s)
	}
	return out
}

// claims reports whether an output in the chain is the wallet's by what is watched.
func (w *watchSet) claims(op outPoint, raw []byte, height uint32) bool {
	return slices.ContainsFunc(w.entries(op, string(raw)), func(s *script) bool {
		return s.watched() && s.Birthday() <= height
	})
}

// sameAccount is the watched account that has the addresses of another; nil if there is
// none.
func (w *watchSet) sameAccount(as *account) *account {
	for _, a := range w.accounts {
		if a.keys.Identity() == as.keys.Identity() {
			return a
		}
	}
	return nil
}

// sortedAccounts are in the order they were watched.
func (w *watchSet) sortedAccounts() []*account {
	return slices.SortedFunc(maps.Values(w.accounts), func(a, b *account) int { return cmp.Compare(a.id, b.id) })
}

// eachBranch calls fn for the branches of all accounts, in the order they were watched.
func (w *watchSet) eachBranch(fn func(*branch)) {
	for _, a := range w.sortedAccounts() {
		for i := range a.branches {
			fn(&a.branches[i])
		}
	}
}

// sortedOutpoints are the outpoints in the order of their bytes.
func (w *watchSet) sortedOutpoints() []*script {
	return slices.SortedFunc(maps.Values(w.outpoints), func(a, b *script) int {
		return bytes.Compare(a.outpoint.key(), b.outpoint.key())
	})
}

// branchOf is the branch that a script is of; nil if it is of no account.
func (w *watchSet) branchOf(s *script) *branch {
	if a := w.accounts[s.account]; a != nil {
		return &a.branches[s.branch]
	}
	return nil
}

// birthdayOf is what the birthday of an entry has to be: the lowest one of those for which
// it is watched. Ahead of the gap it has that of its account only until it is watched
// by itself.
func (w *watchSet) birthdayOf(s *script) uint32 {
	birthday := uint32(math.MaxUint32)
	if s.explicit {
		birthday = s.since
	}
	if a := w.accounts[s.account]; a != nil && (!s.ahead || !s.explicit) {
		birthday = min(birthday, a.birthday)
	}
	return birthday
}
