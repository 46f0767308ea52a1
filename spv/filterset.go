package spv

import (
	"time"

	"dcrspv/spv/chain"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/crypto/blake256"
	"github.com/decred/dcrd/wire"
)

// filterSet is what is known about the filters from before DCP0005. No header
// commits to one of those; only the hash of all of them together is known. If
// the set that was fetched is not that set, a peer has lied, and nothing in the
// set tells who and where. But a peer can be asked for all of it: a whole copy
// with the known hash proves which filters are right, and with that every other
// one that anybody sent is proved wrong.
//
// It is pure bookkeeping in stretches of 100 filters, the size of a request.
// audit.go drives it.
type filterSet struct {
	exists bool // the network has such a set
	last   uint32
	want   chainhash.Hash // of the filters 0 to last

	running  *setHasher // of what is stored
	verified bool       // the stored filters are the set
	wrong    bool       // all are stored, and they are not the set

	delivered []delivery // of what is stored, by stretch
	audits    []*audit
	current   *audit

	// right are the hashes of the stretches, once a peer's copy had the known
	// hash.
	right []chainhash.Hash
}

// delivery is who sent a stretch, and its hash. The peer is not known ("") if
// that was before a restart.
type delivery struct {
	addr string
	hash chainhash.Hash
}

// audit is a peer's copy of the whole set: fetched from it alone, hashed, and
// not kept.
type audit struct {
	addr   string
	copied *setHasher       // used by the writer only
	next   uint32           // the first height that was not given to the writer
	hashes []chainhash.Hash // of the stretches below next
	units  []*unit          // under way, or waiting for those before them
	wrong  time.Time        // when the whole copy was found to be wrong
}

const (
	// stretchFilters is how many filters a stretch has; the first has one less,
	// because the genesis block's is not asked for.
	stretchFilters = wire.MaxCFiltersV2PerBatch

	// auditPause is how long a peer whose whole copy was wrong is not asked for
	// another one. No peer can be blamed before the right copy is known: perhaps
	// it is us who are wrong.
	auditPause = 24 * time.Hour

	// maxAudits bounds the copies remembered, more than there can be peers. On
	// mainnet one has 4315 hashes.
	maxAudits = 128
)

func newFilterSet(rules *chain.Rules) filterSet {
	_, last, want, ok := rules.FilterSetHash()
	if !ok {
		return filterSet{}
	}
	s := filterSet{exists: true, last: last, want: want}
	s.reset(0)
	return s
}

// reset begins anew after a reorg that left only the blocks up to kept. It returns
// the requests that are not needed any more.
func (s *filterSet) reset(kept uint32) (dropped []*unit) {
	dropped = s.forget()
	s.running, s.verified, s.wrong = newSetHasher(0), false, false
	old := s.delivered
	s.delivered = make([]delivery, s.last/stretchFilters+1)
	for i, d := range old {
		if s.stretch(i).To <= kept {
			s.delivered[i] = d
		}
	}
	return dropped
}

// forget drops the audits and what they proved. It returns the requests that are
// not needed any more.
func (s *filterSet) forget() (dropped []*unit) {
	dropped = s.suspend()
	s.audits, s.right = nil, nil
	return dropped
}

// suspend ends the present audit. It returns the requests to be called off; the
// copy can be continued.
func (s *filterSet) suspend() (dropped []*unit) {
	if s.current != nil {
		dropped = s.current.units
		s.current.units = nil
	}
	s.current = nil
	return dropped
}

// stretch returns the heights of a stretch.
func (s *filterSet) stretch(i int) chain.Range {
	from := uint32(i) * stretchFilters
	return chain.Range{From: max(from, 1), To: min(from+stretchFilters-1, s.last)}
}

// index returns which stretch a range is; not ok if it is none.
func (s *filterSet) index(r chain.Range) (int, bool) {
	i := int(r.From / stretchFilters)
	return i, s.exists && r.From <= s.last && s.stretch(i) == r
}

// deliver takes note of who sent filters that will be stored.
func (s *filterSet) deliver(r chain.Range, addr string, hash chainhash.Hash) {
	if i, ok := s.index(r); ok && !s.verified {
		s.delivered[i] = delivery{addr, hash}
	}
}

// rightHash is the hash that the filters of a range must have, if it is known.
func (s *filterSet) rightHash(r chain.Range) (chainhash.Hash, bool) {
	if i, ok := s.index(r); ok && s.right != nil {
		return s.right[i], true
	}
	return chainhash.Hash{}, false
}

// deliveries counts what each peer delivered of the stored set.
func (s *filterSet) deliveries() map[string]int {
	count := make(map[string]int)
	for _, d := range s.delivered {
		count[d.addr]++
	}
	return count
}

// mismatch: all filters are stored, and they are not the set. If one peer sent
// all of them, this was its copy.
func (s *filterSet) mismatch(now time.Time) {
	s.wrong = true
	addr := s.delivered[0].addr
	if addr == "" || s.deliveries()[addr] < len(s.delivered) {
		return
	}
	a := &audit{addr: addr, next: s.last + 1, wrong: now}
	for _, d := range s.delivered {
		a.hashes = append(a.hashes, d.hash)
	}
	s.audits = append(s.audits, a)
}

// auditor chooses whose copy to fetch among the peers that can be asked, best
// first; nil if there is none. The present one is kept. A copy that was begun
// is continued. Then it is the peer that delivered the least of what is stored:
// whoever delivered nothing is not to blame for it.
func (s *filterSet) auditor(peers []string, now time.Time) *audit {
	count := s.deliveries()
	var best *audit
	for _, addr := range peers {
		a := s.auditOf(addr)
		switch {
		case a != nil && a.wrong.IsZero():
			if a == s.current && !a.failed() {
				return a
			}
		case a != nil && now.Sub(a.wrong) < auditPause:
			continue
		default:
			a = &audit{addr: addr, copied: newSetHasher(0), next: 1}
		}
		if best == nil || a.next > best.next || a.next == best.next && count[a.addr] < count[best.addr] {
			best = a
		}
	}
	if best != nil {
		s.remember(best)
	}
	return best
}

func (s *filterSet) auditOf(addr string) *audit {
	for _, a := range s.audits {
		if a.addr == addr {
			return a
		}
	}
	return nil
}

// remember adds an audit, in place of the one of the same peer or of the oldest
// if there are too many.
func (s *filterSet) remember(a *audit) {
	old := s.auditOf(a.addr)
	if old == a {
		return
	}
	if old == nil && len(s.audits) == maxAudits {
		old = s.audits[0]
	}
	for i := range s.audits {
		if s.audits[i] == old {
			s.audits = append(s.audits[:i], s.audits[i+1:]...)
			break
		}
	}
	s.audits = append(s.audits, a)
}

// prove takes the copy that has the known hash for right, and returns the peers
// that sent anything else, each once.
func (s *filterSet) prove(a *audit) (liars []string) {
	s.right = a.hashes
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
	for _, other := range s.audits {
		for i, hash := range other.hashes {
			accuse(other.addr, hash, s.right[i])
		}
	}
	return liars
}

// wanted is the next height to ask for.
func (a *audit) wanted() uint32 {
	if n := len(a.units); n > 0 {
		return a.units[n-1].to() + 1
	}
	return a.next
}

// take removes the filters that continue the copy.
func (a *audit) take() (filters [][]byte) {
	for len(a.units) > 0 && a.units[0].Done() {
		u := a.units[0]
		a.units = a.units[1:]
		a.next = u.to() + 1
		a.hashes = append(a.hashes, u.hash)
		filters = append(filters, u.ready...)
	}
	return filters
}

// failed: the peer could not do something of it.
func (a *audit) failed() bool {
	for _, u := range a.units {
		if u.AnyFailed() {
			return true
		}
	}
	return false
}

// setHasher hashes filters in height order.
type setHasher struct {
	next uint32 // height of the next one
	hash *blake256.Hasher256
}

func newSetHasher(next uint32) *setHasher {
	return &setHasher{next: next, hash: blake256.NewHasher256()}
}

func (h *setHasher) add(filter []byte) {
	h.hash.WriteBytes(filter)
	h.next++
}

func (h *setHasher) sum() chainhash.Hash { return h.hash.Sum256() }

// stretchHash is the hash of the filters of a stretch.
func stretchHash(filters [][]byte) chainhash.Hash {
	h := newSetHasher(0)
	for _, filter := range filters {
		h.add(filter)
	}
	return h.sum()
}
