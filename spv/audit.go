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
// stretch what is right: the peers that sent something else are banned, and
// only the wrong stretches are fetched again. It costs a copy, and one more for
// each liar that is asked before an honest peer is.

// filterSetBlob exists once the stored filters were found to be the set.
const filterSetBlob = "filter set"

// filterSetWanted reports whether the set is needed and not verified yet.
func (e *engine) filterSetWanted() bool {
	s := &e.filters.set
	if !s.exists || s.verified {
		return false
	}
	from, ok := e.filtersFrom()
	return ok && from <= s.last
}

// filtersTrusted reports whether all filters that are held from the birthday on
// are verified. What is not committed to is part of the set.
func (e *engine) filtersTrusted() bool {
	s := &e.filters.set
	if !s.exists || s.verified {
		return true
	}
	from, ok := e.filtersFrom()
	return ok && from > s.last
}

// hashStored returns what brings the running hash up to what is stored once the
// filters of a range are; it is called by the writer after that. After a
// restart it begins with what was there.
func (e *engine) hashStored(written chain.Range) func(*chaindb.DB) error {
	s := &e.filters.set
	to, ok := e.filters.held.Add(written).Through(0)
	if !ok || written.From > s.last || !e.filterSetWanted() {
		return func(*chaindb.DB) error { return nil }
	}
	running, to := s.running, min(to, s.last)
	return func(db *chaindb.DB) error { return running.catchUp(db, to) }
}

// catchUp hashes the stored filters up to a height.
func (h *setHasher) catchUp(db *chaindb.DB, to uint32) error {
	if h.next > to {
		return nil
	}
	return db.Blocks(chain.Range{From: h.next, To: to}, func(_ uint32, _ *chain.Header, filter []byte) bool {
		h.add(filter)
		return true
	})
}

// verifyFilterSet starts the job that the set needs next, if it needs one:
// the verdict once all of it is stored, the hashing of a peer's copy, or the
// dropping of what is wrong.
func (e *engine) verifyFilterSet() bool {
	s := &e.filters.set
	switch {
	case !e.filterSetWanted():
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
	running, last, want := e.filters.set.running, e.filters.set.last, e.filters.set.want
	e.write(func(db *chaindb.DB) event {
		ev := filterSetChecked{running: running}
		done, err := db.Blob(filterSetBlob)
		if ev.good = done != nil; err != nil || ev.good {
			ev.err = err
			return ev
		}
		ev.err = running.catchUp(db, last)
		ev.good = ev.err == nil && running.sum() == want
		if ev.good {
			ev.err = db.PutBlob(filterSetBlob, []byte{1})
		}
		return ev
	})
}

// filterSetChecked: the stored filters are the set, or not.
type filterSetChecked struct {
	running *setHasher
	good    bool
	err     error
}

func (ev filterSetChecked) apply(e *engine) {
	s := &e.filters.set
	switch {
	case !e.writeDone(ev.err) || ev.running != s.running:
		// A local failure, or a reorg since.
	case ev.good:
		s.verified = true
		e.finishAll(s.forget())
		clear(s.delivered)
		e.logs.filters.Infof("The filters up to block %d, which headers don't commit to, are the known set", s.last)
	case s.right != nil:
		e.fail(fmt.Errorf("%s: the filters up to block %d are not those that were written", ChainFile, s.last))
	default:
		s.mismatch(e.now)
		e.logs.filters.Warnf("The filters up to block %d are not the known set: fetching other copies to find what is wrong", s.last)
	}
}

// auditWindow is how many requests for a copy are made at a time.
const auditWindow = 3

// planAudit chooses whose copy of the set is fetched, and asks for more of it.
func (e *engine) planAudit() {
	s := &e.filters.set
	if !s.wrong || s.right != nil {
		return
	}
	var peers []string
	if e.filterSetWanted() {
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
	a := s.auditor(peers, e.now)
	if s.current != nil && a != s.current {
		e.finishAll(s.suspend())
	}
	s.current = a
	if a == nil {
		return
	}
	for a.wanted() <= s.last && len(a.units) < auditWindow {
		u, err := e.filterUnit(s.stretch(int(a.wanted() / stretchFilters)))
		if err != nil {
			e.fail(err)
			return
		}
		u.only = a.addr
		a.units = append(a.units, u)
	}
}

// hashCopy hashes what has come of a peer's copy. It reports whether that was
// anything.
func (e *engine) hashCopy() bool {
	s := &e.filters.set
	a := s.current
	if a == nil {
		return false
	}
	filters := a.take()
	if len(filters) == 0 {
		return false
	}
	whole, copied := a.next > s.last, a.copied
	e.write(func(db *chaindb.DB) event {
		ev := copyHashed{audit: a, whole: whole}
		ev.err = copied.catchUp(db, 0) // the genesis block's, which is computed
		for _, filter := range filters {
			copied.add(filter)
		}
		ev.sum = copied.sum()
		return ev
	})
	return true
}

// copyHashed: some of a peer's copy was hashed.
type copyHashed struct {
	audit *audit
	whole bool
	sum   chainhash.Hash
	err   error
}

func (ev copyHashed) apply(e *engine) {
	s := &e.filters.set
	if !e.writeDone(ev.err) || !ev.whole || s.auditOf(ev.audit.addr) != ev.audit {
		return
	}
	if s.current == ev.audit {
		s.current = nil
	}
	if ev.sum != s.want {
		ev.audit.wrong = e.now
		e.judgeCopy(ev.audit.addr)
		return
	}
	e.finishAll(s.suspend())
	for _, addr := range s.prove(ev.audit) {
		e.strikeAddr(addr, registry.BadFilter, errFilterSet)
	}
}

// dropWrong drops the stretches that are not what they should be. They are
// fetched again, from anybody: now each can be verified.
func (e *engine) dropWrong() {
	s := &e.filters.set
	running, right := s.running, s.right
	stretches := make([]chain.Range, len(right))
	for i := range right {
		stretches[i] = s.stretch(i)
	}
	e.write(func(db *chaindb.DB) event {
		var drop chain.Ranges
		for i, r := range stretches {
			h := newSetHasher(r.From)
			if err := h.catchUp(db, r.To); err != nil {
				return wrongDropped{err: err}
			}
			if h.sum() != right[i] {
				drop = drop.Add(r)
			}
		}
		for _, r := range drop {
			if err := db.DropFilters(r); err != nil {
				return wrongDropped{err: err}
			}
		}
		return wrongDropped{running: running, dropped: drop, held: db.Filters()}
	})
}

// wrongDropped: only right stretches are stored.
type wrongDropped struct {
	running *setHasher
	dropped chain.Ranges
	held    chain.Ranges
	err     error
}

func (ev wrongDropped) apply(e *engine) {
	if !e.writeDone(ev.err) {
		return
	}
	e.filters.setHeld(ev.held, e.store.tip.Height)
	if s := &e.filters.set; ev.running == s.running {
		s.wrong, s.running = false, newSetHasher(0)
		e.logs.filters.Infof("Fetching the filters of these blocks again: %v", ev.dropped)
	}
}

// filtersReason says what is missing of the filters.
func (e *engine) filtersReason(through, target uint32) string {
	s := &e.filters.set
	switch {
	case !s.wrong || s.right != nil:
		return fmt.Sprintf("fetching filters, %d of %d", through, target)
	case s.current == nil:
		return fmt.Sprintf("the filters up to block %d are not the known set: waiting for other peers to compare with", s.last)
	}
	return fmt.Sprintf("the filters up to block %d are not the known set: comparing with %s, %d of %d",
		s.last, s.current.addr, s.current.next-1, s.last)
}
