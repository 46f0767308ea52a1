package wallet

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"dcrspv/spv/chain"
	"dcrspv/wallet/internal/coverage"
)

// ledgerStore writes to the file what the coverage ledger holds.
type ledgerStore struct{ c *change }

// NewGroup is the number of a new group.
func (s ledgerStore) NewGroup() uint64 { return s.c.groups.NextSequence() }

// SaveGroup writes the coverage of a group.
func (s ledgerStore) SaveGroup(id uint64, covered chain.Ranges) {
	s.c.put(s.c.groups, key64(id), coverage.Encode(covered))
}

// DropGroup removes a group.
func (s ledgerStore) DropGroup(id uint64) { s.c.del(s.c.groups, key64(id)) }

// SaveScripts writes scripts and outpoints, in the order of their keys: bbolt moves all
// that is behind a new one.
func (s ledgerStore) SaveScripts(scripts []*script) {
	slices.SortFunc(scripts, compareScripts)
	for _, entry := range scripts {
		s.c.writeScript(entry)
	}
}

func (c *cache) loadGroups(b *buckets) error {
	return b.groups.ForEach(func(k, v []byte) error {
		covered, ok := coverage.Decode(v)
		if !ok || len(k) != 8 || be.Uint64(k) > b.groups.tally.last {
			return corrupt("group %.40x", k)
		}
		c.ledger.Load(be.Uint64(k), covered)
		return nil
	})
}

// Birthday is the lowest birthday of any watched script or outpoint; ok is false when
// nothing is watched.
func (w *Wallet) Birthday() (height uint32, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.ledger.Birthday()
}

// Scanned is the range of heights, from the birthday on, that every watched
// script has been tested on; through is not above limit. ok is false when it
// is empty.
func (w *Wallet) Scanned(limit uint32) (from, through uint32, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if through, ok = w.ledger.Through(limit); ok {
		from, _ = w.ledger.Birthday()
	}
	return from, through, ok
}

// Unscanned is how many blocks up to limit are still to be tested, for any watched
// script.
func (w *Wallet) Unscanned(limit uint32) (blocks uint32) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.ledger.Missing(limit)
}

// Rescan marks blocks as not tested, for the given addresses and extended
// public keys or, with none given, for everything that is watched. They are
// tested again the next time a Syncer runs; what is known stays. Both ends are
// included, math.MaxUint32 is the end of the chain. Blocks below a birthday
// stay unwanted: to go lower, Watch again with a lower From.
//
// Errors: ErrRange, ErrNotWatched, ErrAddress, ErrXPub, ErrWrongNetwork.
func (w *Wallet) Rescan(ctx context.Context, from, to uint32, names ...string) error {
	if from > to {
		return fmt.Errorf("%w: it begins with block %d, and ends with block %d", ErrRange, from, to)
	}
	var only *selection
	if len(names) > 0 {
		s, err := w.selectNames(names)
		if err != nil {
			return err
		}
		only = s
	}
	return w.update(ctx, func(c *change) {
		chosen := func(*script) bool { return true }
		if only != nil {
			set := c.chosen(only)
			chosen = func(s *script) bool { return set[s] }
		}
		c.untestAll(chosen, chain.Range{From: from, To: to})
	})
}

// untestAll has all chosen scripts tested again on some blocks. Below their birthdays they
// are not, so what waits has to be looked for there anew.
func (c *change) untestAll(chosen func(*script) bool, r chain.Range) {
	c.coverage.UntestAll(chosen, r)
	c.searchAgain()
}

// updateBirthdays gives entries the birthday that follows from what they are watched for. With
// a lower one all blocks from there on are missing, also those tested already: they may
// spend coins that are found below.
func (c *change) updateBirthdays(entries []*script) {
	anew := make(map[uint32][]*script)
	for _, s := range entries {
		birthday := c.w.birthdayOf(s)
		if birthday == s.Birthday() {
			continue
		}
		c.entered.add(s)
		if birthday < s.Birthday() {
			anew[birthday] = append(anew[birthday], s)
		} else {
			c.coverage.Raise(s, birthday)
		}
	}
	for _, birthday := range slices.Sorted(maps.Keys(anew)) {
		c.coverage.Add(anew[birthday], birthday)
	}
}
