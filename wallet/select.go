package wallet

import (
	"fmt"
	"strings"

	"github.com/decred/dcrd/chaincfg/v3"
)

// selection is a checked list of scripts and accounts.
type selection struct {
	scripts  []string
	names    []string // what the caller called the scripts
	accounts []*account
}

// selectWatch checks the scripts and accounts of a Watch.
func (w *Wallet) selectWatch(what Watch) (*selection, error) {
	sel := new(selection)
	if what.Gap > maxGap {
		return nil, fmt.Errorf("%w: a gap of %d is above %d", ErrXPub, what.Gap, maxGap)
	}
	for _, addr := range what.Addresses {
		if err := sel.addAddress(addr, w.params); err != nil {
			return nil, err
		}
	}
	for _, given := range what.Scripts {
		raw, err := rawScript(given)
		if err != nil {
			return nil, fmt.Errorf("script %.40x: %w", given, err)
		}
		sel.add(raw, fmt.Sprintf("%x", given))
	}
	for _, xpub := range what.XPubs {
		if err := sel.addXPub(xpub, what, w.params); err != nil {
			return nil, err
		}
	}
	return sel, nil
}

// selectNames sorts addresses and extended public keys.
func (w *Wallet) selectNames(names []string) (*selection, error) {
	sel := new(selection)
	for _, name := range names {
		add := func() error { return sel.addAddress(name, w.params) }
		if IsXPub(name) {
			add = func() error { return sel.addXPub(name, Watch{}, w.params) }
		}
		if err := add(); err != nil {
			return nil, err
		}
	}
	return sel, nil
}

func (s *selection) addAddress(addr string, params *chaincfg.Params) error {
	raw, err := addressScript(addr, params)
	if err == nil {
		s.add(raw, addr)
	}
	return err
}

func (s *selection) addXPub(xpub string, what Watch, params *chaincfg.Params) error {
	a, err := newAccount(strings.TrimSpace(xpub), what, params)
	if err != nil {
		return fmt.Errorf("extended key %q: %w", ending(a.xpub), err)
	}
	s.accounts = append(s.accounts, a)
	return nil
}

// ending tells a key from others, by its checksum: it may be a private one, given by
// mistake.
func ending(key string) string {
	if len(key) <= checksumChars {
		return key
	}
	return "..." + key[len(key)-checksumChars:]
}

// checksumChars is how many characters of an extended key follow from its checksum.
const checksumChars = 5

func (s *selection) add(raw []byte, name string) {
	s.scripts = append(s.scripts, string(raw))
	s.names = append(s.names, name)
}

// chosen are the watched scripts of a selection; those of an account are meant
// all together.
func (c *change) chosen(sel *selection) map[*script]bool {
	set := make(map[*script]bool)
	for i, raw := range sel.scripts {
		s := c.w.scripts[raw]
		if s == nil {
			c.fail(fmt.Errorf("%w: %s", ErrNotWatched, sel.names[i]))
			return set
		}
		set[s] = true
	}
	for _, want := range sel.accounts {
		a := c.w.sameAccount(want)
		if a == nil {
			c.fail(fmt.Errorf("%w: extended public key %s", ErrNotWatched, want.xpub))
			return set
		}
		for _, s := range a.scripts() {
			set[s] = true
		}
	}
	return set
}
