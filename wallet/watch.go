package wallet

import "context"

// Watch says what to watch.
type Watch struct {
	// Addresses of the wallet's network, of any standard kind: public key
	// hash, script hash or public key, ECDSA, Schnorr or Ed25519.
	//
	// An address stands for its own script only: watching a public key hash
	// does not find outputs that pay the public key itself.
	Addresses []string

	// Scripts are output scripts of version 0. A stake opcode at the front is
	// taken off: an output with any stake opcode is found, as it is for
	// addresses.
	Scripts [][]byte

	// XPubs are extended public keys of accounts (dpub... on mainnet). The
	// addresses of their external and internal branch are watched as far as
	// Gap reaches behind the last one used. Two that only differ in depth, parent or
	// child number are the same account.
	XPubs []string

	// OutPoints are single outputs. They are coins as any other: what else pays
	// their scripts does not count, nor do tickets that commit to them, unless these
	// are watched too.
	OutPoints []OutPoint

	// From is the birthday: the height of the first block that can matter.
	// What happens below it is not part of the wallet: what waits to be mined neither,
	// once it is mined there. Of what is watched in several ways the lowest counts.
	From uint32

	// Gap is how many unused addresses in a row are watched; 0 is 20, or what it is
	// for an account that is watched already.
	Gap uint32

	// PubKeys: what pays the public keys of XPubs themselves (compressed, ECDSA) is
	// watched too, not only their addresses, and counts as use of them. Hardly any
	// wallet pays so, and it takes twice the scripts: of a new account 480 in place
	// of 240, so that a million blocks are tested in 1.3 s of a core in place of
	// 0.9, and one more in 3300 is fetched in vain. Watching an account again without it
	// leaves it on; with it, only what comes with it is tested.
	PubKeys bool

	// Label is kept with all of them, for people; see SetLabel.
	Label string
}

// Watch adds to the watch set. It needs no Syncer and no network: which blocks
// have to be tested follows from what is watched. Watching something again is
// harmless; a lower From then counts, and has everything from there on tested
// again, because coins found below may be spent above. Either everything is
// added or, with an error, nothing.
//
// Errors: ErrAddress, ErrScript (also for an outpoint that is known to pay another
// one, or is watched with another one), ErrXPub, ErrWrongNetwork, ErrLabel. Their
// texts say which of several is meant.
func (w *Wallet) Watch(ctx context.Context, what Watch) error {
	sel, err := w.selectWatch(what)
	if err != nil {
		return err
	}
	if err := checkLabel(what.Label); err != nil {
		return err
	}
	entries := make([]*script, len(what.OutPoints))
	for i := range what.OutPoints {
		if entries[i], err = what.OutPoints[i].entry(what.From, what.Label); err != nil {
			return err
		}
	}
	return w.update(ctx, func(c *change) {
		if c.checkOutpoints(entries); c.err != nil {
			return
		}
		for _, raw := range sel.scripts {
			s := newScript(raw)
			s.watchAlone(what.From, what.Label)
			entries = append(entries, s)
		}
		c.watchAlone(entries, what.From)
		for _, a := range sel.accounts {
			c.watchAccount(a)
		}
	})
}

// watchAlone has scripts and outpoints watched by themselves, from one birthday on.
func (c *change) watchAlone(entries []*script, birthday uint32) {
	var fresh, known []*script
	for _, entry := range entries {
		s := c.w.same(entry)
		switch {
		case s == nil:
			c.w.addEntry(entry)
			c.saveScript(entry)
			c.entered.add(entry)
			fresh = append(fresh, entry)
			continue
		case s.Group() == 0: // named twice
			continue
		case !s.watched(): // only ahead of its account's gap until now
			c.entered.add(s)
		}
		if s.watchAlone(entry.since, entry.label) {
			c.saveScript(s)
		}
		known = append(known, s)
	}
	c.coverage.Add(fresh, birthday)
	c.updateBirthdays(known)
}

// watchAccount adds an account, or widens one that is watched already.
func (c *change) watchAccount(want *account) {
	a := c.w.sameAccount(want)
	if a == nil {
		a = want
		a.enter(uint32(c.accounts.NextSequence()))
		c.w.addAccount(a)
	} else {
		birthday, pubKeys := a.birthday, a.pubKeys
		if !a.widen(want) {
			return
		}
		if a.birthday < birthday {
			for _, s := range a.scripts() {
				if s.explicit && s.since <= a.birthday { // its uses by the account are not known
					c.untest(s, a.birthday)
				}
			}
			c.updateBirthdays(a.scripts())
		}
		if a.pubKeys && !pubKeys {
			c.watchPubKeys(a)
		}
	}
	for i := range a.branches {
		c.derive(&a.branches[i])
	}
	c.saveAccount(a)
}
