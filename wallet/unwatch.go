package wallet

import (
	"context"
	"fmt"
)

// Unwatch takes what is named in Addresses, Scripts, XPubs and OutPoints (whose
// scripts may be left out) out of the watch set; the other fields do not matter. Their
// coins, and the transactions that concern nothing else that is watched, are gone from
// the wallet; watching them again finds them again. If one of them is not watched, the error is
// ErrNotWatched and nothing is changed.
func (w *Wallet) Unwatch(ctx context.Context, what Watch) error {
	sel, err := w.selectWatch(what)
	if err != nil {
		return err
	}
	return w.update(ctx, func(c *change) {
		gone := c.unwatchScripts(sel)
		gone = append(gone, c.unwatchAccounts(sel)...)
		gone = append(gone, c.chosenOutpoints(what.OutPoints)...)
		if c.err != nil {
			return
		}
		for _, s := range gone {
			c.lost.add(s, byOwner)
			c.coverage.Remove(s)
			c.w.removeEntry(s)
			c.dropScript(s)
		}
	})
}

// unwatchScripts returns the scripts that nothing watches any more.
func (c *change) unwatchScripts(sel *selection) (gone []*script) {
	seen := make(map[string]bool)
	for i, raw := range sel.scripts {
		s := c.w.scripts[raw]
		switch {
		case seen[raw]:
			continue
		case s == nil:
			c.fail(fmt.Errorf("%w: %s", ErrNotWatched, sel.names[i]))
			return nil
		case !s.explicit:
			c.fail(fmt.Errorf("%w by itself, only as part of an extended public key: %s", ErrNotWatched, sel.names[i]))
			return nil
		}
		seen[raw] = true
		if s.account == 0 {
			gone = append(gone, s)
			continue
		}
		s.unwatchAlone()
		c.watchLess(s, byOwner)
		if s.ahead && s.usedAt != unused {
			c.untest(s, s.usedAt)
		}
	}
	return gone
}

// unwatchAccounts removes accounts and returns the scripts that nothing watches
// any more.
func (c *change) unwatchAccounts(sel *selection) (gone []*script) {
	seen := make(map[string]bool)
	for _, want := range sel.accounts {
		if seen[want.keys.Identity()] {
			continue
		}
		seen[want.keys.Identity()] = true
		a := c.w.sameAccount(want)
		if a == nil {
			c.fail(fmt.Errorf("%w: extended public key %s", ErrNotWatched, want.xpub))
			return nil
		}
		for _, s := range a.scripts() {
			s.part()
			if s.explicit {
				c.watchLess(s, byOwner)
				continue
			}
			gone = append(gone, s)
		}
		c.w.removeAccount(a)
		c.dropAccount(a)
	}
	return gone
}

// watchLess follows up that a script which was watched, and still is of an account or
// watched by itself, has fewer reasons to be.
func (c *change) watchLess(s *script, by loser) {
	c.lost.add(s, by)
	c.saveScript(s)
	c.updateBirthdays([]*script{s})
}
