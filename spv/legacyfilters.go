package spv

import (
	"fmt"
	"slices"
	"time"

	"dcrspv/spv/chain"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/wire"
)

// legacyFilters is what is known about the filters from before DCP0005. No header
// commits to one of those; only the hash of all of them together is known. If
// the set that was fetched is not that set, a peer has lied, and nothing in the
// set tells who and where. But a peer can be asked for all of it: a full copy
// with the known hash proves which filters are right, and with that every other
// one that anybody sent is proved wrong.
//
// It is pure bookkeeping in batches of 100 filters, the size of a request.
// legacyverify.go drives it.
type legacyFilters struct {
	exists bool // the network has such a set
	last   uint32
	want   chainhash.Hash // of the filters 0 to last

	running  *filterHasher // of what is stored
	verified bool          // the stored filters are the set
	wrong    bool          // all are stored, and they are not the set

	delivered []delivery // of what is stored, by batch
	copies    []*fullCopy
	current   *fullCopy // which is fetched now

	// right are the hashes of the batches, once a peer's copy had the known
	// hash.
	right []chainhash.Hash
}

// delivery is who sent a batch, and its hash. The peer is not known ("") if
// that was before a restart.
type delivery struct {
	addr string
	hash chainhash.Hash
}

const (
	// batchFilters is how many filters a batch has; the first has one less,
	// because the genesis block's is not asked for.
	batchFilters = wire.MaxCFiltersV2PerBatch

	// copyPause is how long a peer whose whole copy was wrong is not asked for
	// another one. No peer can be blamed before the right copy is known: perhaps
	// it is us who are wrong.
	copyPause = 24 * time.Hour

	// maxCopies bounds the copies remembered, more than there can be peers. On
	// mainnet one has 4315 hashes.
	maxCopies = 128
)

func newLegacyFilters(rules *chain.Rules) legacyFilters {
	_, last, want, ok := rules.FilterSetHash()
	if !ok {
		return legacyFilters{}
	}
	s := legacyFilters{exists: true, last: last, want: want}
	s.reset(0)
	return s
}

// reset begins anew after a reorg that left only the blocks up to kept. It returns
// the requests that are not needed any more.
func (s *legacyFilters) reset(kept uint32) (dropped []*request) {
	dropped = s.forget()
	s.running, s.verified, s.wrong = newFilterHasher(0), false, false
	old := s.delivered
	s.delivered = make([]delivery, s.last/batchFilters+1)
	for i, d := range old {
		if s.batch(i).To <= kept {
			s.delivered[i] = d
		}
	}
	return dropped
}

// forget drops the copies and what they proved. It returns the requests that are
// not needed any more.
func (s *legacyFilters) forget() (dropped []*request) {
	dropped = s.suspend()
	s.copies, s.right = nil, nil
	return dropped
}

// suspend ends the fetching of the present copy. It returns the requests to be called off; the
// copy can be continued.
func (s *legacyFilters) suspend() (dropped []*request) {
	if s.current != nil {
		dropped = s.current.suspend()
	}
	s.current = nil
	return dropped
}

// batch returns the heights of a batch.
func (s *legacyFilters) batch(i int) chain.Range {
	from := uint32(i) * batchFilters
	return chain.Range{From: max(from, 1), To: min(from+batchFilters-1, s.last)}
}

// index returns which batch a range is; not ok if it is none.
func (s *legacyFilters) index(r chain.Range) (int, bool) {
	i := int(r.From / batchFilters)
	return i, s.exists && r.From <= s.last && s.batch(i) == r
}

// deliver takes note of who sent filters that will be stored.
func (s *legacyFilters) deliver(r chain.Range, addr string, hash chainhash.Hash) {
	if i, ok := s.index(r); ok && !s.verified {
		s.delivered[i] = delivery{addr, hash}
	}
}

// holds reports whether a block's filter is one of the set.
func (s *legacyFilters) holds(height uint32) bool { return s.exists && height <= s.last }

// suspect reports whether a set is stored that is not the known one, and nobody knows what
// of it is wrong.
func (s *legacyFilters) suspect() bool { return s.wrong && s.right == nil }

// copying are the requests for the present copy.
func (s *legacyFilters) copying() []*request {
	if s.current == nil {
		return nil
	}
	return s.current.requests
}

// check returns what hashes filters that no header commits to, and compares the hash if it
// is known which one is right. It may be called on another goroutine.
func (s *legacyFilters) check(r chain.Range) func([][]byte) (chainhash.Hash, error) {
	if !s.holds(r.From) {
		return func([][]byte) (none chainhash.Hash, err error) { return none, nil }
	}
	right, known := s.rightHash(r)
	return func(filters [][]byte) (chainhash.Hash, error) {
		hash := batchHash(filters)
		if known && hash != right {
			return hash, fmt.Errorf("%w: blocks %d to %d", errFilterSet, r.From, r.To)
		}
		return hash, nil
	}
}

// rightHash is the hash that the filters of a range must have, if it is known.
func (s *legacyFilters) rightHash(r chain.Range) (chainhash.Hash, bool) {
	if i, ok := s.index(r); ok && s.right != nil {
		return s.right[i], true
	}
	return chainhash.Hash{}, false
}

// deliveries counts what each peer delivered of the stored set.
func (s *legacyFilters) deliveries() map[string]int {
	count := make(map[string]int)
	for _, d := range s.delivered {
		count[d.addr]++
	}
	return count
}

// mismatch: all filters are stored, and they are not the set. If one peer sent
// all of them, this was its copy.
func (s *legacyFilters) mismatch(now time.Time) {
	s.wrong = true
	addr := s.delivered[0].addr
	if addr == "" || s.deliveries()[addr] < len(s.delivered) {
		return
	}
	c := &fullCopy{addr: addr, next: s.last + 1, wrong: now}
	for _, d := range s.delivered {
		c.add(d.hash)
	}
	s.copies = append(s.copies, c)
}

// confirm notes that the stored filters are the set. It returns the requests that are not
// needed any more.
func (s *legacyFilters) confirm() (dropped []*request) {
	s.verified = true
	clear(s.delivered)
	return s.forget()
}

// restart has the stored filters compared again, once what was wrong was dropped.
func (s *legacyFilters) restart() { s.wrong, s.running = false, newFilterHasher(0) }

// choose sets whose copy is fetched now. It returns the requests to be called off.
func (s *legacyFilters) choose(peers []string, now time.Time) (dropped []*request) {
	next := s.nextSource(peers, now)
	if next != s.current {
		dropped = s.suspend()
	}
	s.current = next
	return dropped
}

// compare takes note of the hash of a full copy, and reports whether it is the known one.
func (s *legacyFilters) compare(c *fullCopy, sum chainhash.Hash, now time.Time) bool {
	if s.current == c {
		s.current = nil
	}
	if sum != s.want {
		c.refute(now)
		return false
	}
	return true
}

// nextSource chooses whose copy to fetch among the peers that can be asked, best
// first; nil if there is none. The present one is kept. A copy that was begun
// is continued. Then it is the peer that delivered the least of what is stored:
// whoever delivered nothing is not to blame for it.
func (s *legacyFilters) nextSource(peers []string, now time.Time) *fullCopy {
	count := s.deliveries()
	var best *fullCopy
	for _, addr := range peers {
		c := s.copyOf(addr)
		switch {
		case c != nil && c.wrong.IsZero():
			if c == s.current && !c.failed() {
				return c
			}
		case c != nil && now.Sub(c.wrong) < copyPause:
			continue
		default:
			c = &fullCopy{addr: addr, copied: newFilterHasher(0), next: 1}
		}
		if best == nil || c.next > best.next || c.next == best.next && count[c.addr] < count[best.addr] {
			best = c
		}
	}
	if best != nil {
		s.remember(best)
	}
	return best
}

func (s *legacyFilters) copyOf(addr string) *fullCopy {
	for _, c := range s.copies {
		if c.addr == addr {
			return c
		}
	}
	return nil
}

// remember adds a copy, in place of the one of the same peer or of the oldest
// if there are too many.
func (s *legacyFilters) remember(c *fullCopy) {
	old := s.copyOf(c.addr)
	if old == c {
		return
	}
	if old == nil && len(s.copies) == maxCopies {
		old = s.copies[0]
	}
	s.copies = append(slices.DeleteFunc(s.copies, func(other *fullCopy) bool { return other == old }), c)
}

// prove takes the copy that has the known hash for right, and returns the peers
// that sent anything else, each once.
func (s *legacyFilters) prove(c *fullCopy) (liars []string) {
	s.right = c.hashes
	seen := make(map[string]bool)
	accuse := func(addr string, hash, right chainhash.Hash) {
		if addr != "" && hash != right && !seen[addr] {
			seen[addr] = true
			liars = append(liars, addr)
		}
	}
	for i, d := range s.delivered {
		accuse(d.addr, d.hash, s.right[i])
	}
	for _, other := range s.copies {
		for i, hash := range other.hashes {
			accuse(other.addr, hash, s.right[i])
		}
	}
	return liars
}
