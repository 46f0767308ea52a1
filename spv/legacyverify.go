package spv

import (
	"fmt"

	"dcrspv/spv/chain"
	"dcrspv/spv/internal/chaindb"
	"dcrspv/spv/internal/registry"

	"github.com/decred/dcrd/chaincfg/chainhash"
)

// The filters from before DCP0005 are verified as a whole: their hash is known
// (dcrwallet validate.PreDCP0005CFilterHash). It is computed as they are
// written. If it is not the known one, peers are asked for a whole copy, one
// after the other, until one has the known hash. Then it is known for each
// batch what is right: the peers that sent something else are banned, and
// only the wrong batches are fetched again. It costs a copy, and one more for
// each liar that is asked before an honest peer is.

// legacyBlob exists once the stored filters were found to be the set.
const legacyBlob = "filter set"

// hashStored returns what brings the running hash up to what is stored once the
// filters of a range are; it is called by the writer after that. After a
// restart it begins with what was there.
func (e *engine) hashStored(written chain.Range) func(*chaindb.DB) error {
	s := &e.filters.legacy
	to, ok := e.filters.held.Add(written).Through(0)
	if !ok || written.From > s.last || !e.legacyWanted() {
		return func(*chaindb.DB) error { return nil }
	}
	running, to := s.running, min(to, s.last)
	return func(db *chaindb.DB) error { return running.catchUp(db, to) }
}

// verifyLegacy starts the job that the set needs next, if it needs one:
// the verdict once all of it is stored, the hashing of a peer's copy, or the
// dropping of what is wrong.
func (e *engine) verifyLegacy() bool {
	s := &e.filters.legacy
	switch {
	case !e.legacyWanted():
		return false
	case s.right != nil && s.wrong:
		e.dropWrong()
	case s.wrong:
		return e.hashCopy()
	case e.filters.held.Covers(chain.Range{From: 0, To: s.last}):
		e.judgeStored()
	default:
		return false
	}
	return true
}

// judgeStored compares the hash of what is stored with the known one.
func (e *engine) judgeStored() {
	s := &e.filters.legacy
	running, last, want, good := s.running, s.last, s.want, false
	e.write(func(db *chaindb.DB) error {
		if done, err := db.Blob(legacyBlob); err != nil || done != nil {
			good = err == nil
			return err
		}
		if err := running.catchUp(db, last); err != nil || running.sum() != want {
			return err
		}
		good = true
		return db.PutBlob(legacyBlob, []byte{1})
	}, func() {
		switch {
		case running != s.running:
			// There was a reorg since.
		case good:
			e.finish(s.confirm()...)
			e.logs.filters.Infof("The filters up to block %d, which headers don't commit to, are the known set", last)
		case s.right != nil:
			e.fail(fmt.Errorf("%s: the filters up to block %d are not those that were written", ChainFile, last))
		default:
			s.mismatch(e.now)
			e.logs.filters.Warnf("The filters up to block %d are not the known set: fetching other copies to find what is wrong", last)
		}
	})
}

// copyWindow is how many requests for a copy are made at a time.
const copyWindow = 3

// planCopies chooses whose copy of the set is fetched, and asks for more of it.
func (e *engine) planCopies() {
	s := &e.filters.legacy
	if !s.suspect() {
		return
	}
	var peers []string
	if e.legacyWanted() {
		addrs := e.registry.Serving(registry.Filters, s.last, e.now)
		if len(addrs) == 0 {
			addrs = e.registry.Resting(registry.Filters, s.last, e.now)
		}
		for _, addr := range addrs {
			if e.sessions[addr] != nil {
				peers = append(peers, addr)
			}
		}
	}
	e.finish(s.choose(peers, e.now)...)
	c := s.current
	for c != nil && c.wanted() <= s.last && len(c.requests) < copyWindow {
		r, err := e.filterRequest(s.batch(int(c.wanted() / batchFilters)))
		if err != nil {
			e.fail(err)
			return
		}
		r.onlyOf(c.addr)
		c.request(r)
	}
}

// hashCopy hashes what has come of a peer's copy. It reports whether that was
// anything.
func (e *engine) hashCopy() bool {
	s := &e.filters.legacy
	c := s.current
	if c == nil {
		return false
	}
	filters := c.take()
	if len(filters) == 0 {
		return false
	}
	whole, copied := c.next > s.last, c.copied
	var sum chainhash.Hash
	e.write(func(db *chaindb.DB) error {
		err := copied.catchUp(db, 0) // the genesis block's, which is computed
		for _, filter := range filters {
			copied.add(filter)
		}
		sum = copied.sum()
		return err
	}, func() {
		if whole && s.copyOf(c.addr) == c {
			e.judgeCopy(c, sum)
		}
	})
	return true
}

// judgeCopy compares a peer's full copy with the known hash.
func (e *engine) judgeCopy(c *fullCopy, sum chainhash.Hash) {
	s := &e.filters.legacy
	if !s.compare(c, sum, e.now) {
		e.judgeWrongCopy(c.addr)
		return
	}
	e.finish(s.suspend()...)
	for _, addr := range s.prove(c) {
		e.strikeAddr(addr, registry.BadFilter, errFilterSet)
	}
}

// dropWrong drops the batches that are not what they should be. They are
// fetched again, from anybody: now each can be verified.
func (e *engine) dropWrong() {
	s := &e.filters.legacy
	running, right := s.running, s.right
	batches := make([]chain.Range, len(right))
	for i := range right {
		batches[i] = s.batch(i)
	}
	var dropped chain.Ranges
	e.write(func(db *chaindb.DB) error {
		for i, r := range batches {
			h := newFilterHasher(r.From)
			if err := h.catchUp(db, r.To); err != nil {
				return err
			}
			if h.sum() != right[i] {
				dropped = dropped.Add(r)
			}
		}
		for _, r := range dropped {
			if err := db.DropFilters(r); err != nil {
				return err
			}
		}
		return nil
	}, func() {
		e.filters.setHeld(e.db.Filters(), e.disk.tip.Height)
		if running == s.running {
			s.restart()
			e.logs.filters.Infof("Fetching the filters of these blocks again: %v", dropped)
		}
	})
}

// filtersReason says what is missing of the filters.
func (e *engine) filtersReason(through, target uint32) string {
	s := &e.filters.legacy
	switch {
	case !s.suspect():
		return fmt.Sprintf("fetching filters, %d of %d", through, target)
	case s.current == nil:
		return fmt.Sprintf("the filters up to block %d are not the known set: waiting for other peers to compare with", s.last)
	}
	return fmt.Sprintf("the filters up to block %d are not the known set: comparing with %s, %d of %d",
		s.last, s.current.addr, s.current.next-1, s.last)
}
