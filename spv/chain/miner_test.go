package chain

import (
	"encoding/binary"
	"errors"
	"math/big"
	"testing"
	"time"

	"github.com/decred/dcrd/blockchain/standalone/v2"
	"github.com/decred/dcrd/chaincfg/v3"
	"github.com/decred/dcrd/math/uint256"
)

// miner makes headers that satisfy the rules of a network with trivial work.
// Index and height are the same.
type miner struct {
	t       testing.TB
	r       *Rules
	headers []Header
}

// testNow is the clock of tests; mined chains end well before it.
var testNow = time.Unix(1_800_000_000, 0)

func simnet() *Rules { return NewRules(chaincfg.SimNetParams()) }

func newMiner(t testing.TB, r *Rules) *miner {
	genesis, _ := r.Genesis()
	return &miner{t: t, r: r, headers: []Header{genesis}}
}

func (m *miner) anc(height uint32) *Header {
	if int(height) >= len(m.headers) {
		return nil
	}
	return &m.headers[height]
}

func (m *miner) tip() *Header { return &m.headers[len(m.headers)-1] }

// template is the next header, correct but for its work. seconds is its
// distance in time to the parent.
func (m *miner) template(seconds int) Header {
	prev := m.tip()
	height := prev.Height() + 1
	when := prev.Timestamp() + uint32(seconds)
	if height == 1 {
		when = uint32(testNow.Unix()) - 100_000 + uint32(seconds)
	}
	var h Header
	le := binary.LittleEndian
	hash := prev.Hash()
	copy(h[offPrevBlock:], hash[:])
	le.PutUint32(h[offVersion:], 12)
	le.PutUint32(h[offHeight:], height)
	le.PutUint32(h[offSize:], 1000)
	le.PutUint32(h[offTimestamp:], when)
	le.PutUint32(h[offBits:], m.r.NextBits(prev, when, m.anc))
	le.PutUint64(h[offSBits:], uint64(m.r.NextStakeDiff(prev, m.anc)))
	le.PutUint16(h[offVoteBits:], 1)
	if int64(height) >= m.r.params.StakeValidationHeight {
		le.PutUint16(h[offVoters:], 5)
	}
	if height > 20 {
		h[offFreshStake] = byte(height % 6)
		le.PutUint32(h[offPoolSize:], 40+height%300)
	}
	return h
}

// solve finds the work of h.
func (m *miner) solve(h *Header) {
	for nonce := uint32(0); ; nonce++ {
		binary.LittleEndian.PutUint32(h[offNonce:], nonce)
		hash := m.r.PowHash(h)
		if m.r.checkWork(&hash, h.Bits()) == nil {
			return
		}
	}
}

// mine adds a block. salt makes it differ from others at its place.
func (m *miner) mine(seconds int, salt uint32) *Header {
	h := m.template(seconds)
	binary.LittleEndian.PutUint32(h[offExtraData:], salt)
	m.solve(&h)
	m.headers = append(m.headers, h)
	return m.tip()
}

func (m *miner) mineN(n, seconds int, salt uint32) {
	for range n {
		m.mine(seconds, salt)
	}
}

// mineFast adds n blocks, most of them in the same second as their parents: as
// fast as the median time rule allows.
func (m *miner) mineFast(n int, salt uint32) {
	for i := range n {
		m.mine([]int{1, 0, 0, 0, 0}[i%5], salt)
	}
}

// fork is another miner that agrees up to height.
func (m *miner) fork(height int) *miner {
	return &miner{t: m.t, r: m.r, headers: append([]Header(nil), m.headers[:height+1]...)}
}

// batch is the checked batch of the heights from to to.
func (m *miner) batch(from, to int) Batch {
	m.t.Helper()
	b, err := m.r.Check(append([]Header(nil), m.headers[from:to+1]...))
	if err != nil {
		m.t.Fatalf("Check of mined headers %d to %d: %v", from, to, err)
	}
	return b
}

func (m *miner) id(height int) BlockID { return m.headers[height].ID() }

// memStore is a Source in memory, and the other side of the storage protocol.
type memStore struct {
	headers []Header // without the genesis header
	fail    error    // of every read, once
	after   int      // so many have succeeded
}

var errDisk = errors.New("disk on fire")

func (s *memStore) Header(height uint32) (Header, error) {
	if s.fail != nil {
		if s.after == 0 {
			return Header{}, s.fail
		}
		s.after--
	}
	if height == 0 || int(height) > len(s.headers) {
		return Header{}, errors.New("not found")
	}
	return s.headers[height-1], nil
}

func (s *memStore) Headers(r Range) (headers []Header, err error) {
	for height := r.From; height <= r.To && err == nil; height++ {
		var h Header
		h, err = s.Header(height)
		headers = append(headers, h)
	}
	return headers, err
}

func (s *memStore) replace(above uint32, headers []Header) BlockID {
	s.headers = append(s.headers[:above:above], headers...)
	if len(s.headers) == 0 {
		_, genesis := simnet().Genesis()
		return genesis
	}
	return s.headers[len(s.headers)-1].ID()
}

// newChain is a Chain of the genesis block alone.
func newChain(r *Rules, src Source) *Chain {
	_, id := r.Genesis()
	return New(r, src, id, uint256.Uint256{})
}

// mustAdd adds a batch that has to be accepted.
func mustAdd(t testing.TB, c *Chain, b Batch) Update {
	t.Helper()
	u, err := c.Add(b, testNow)
	if err != nil {
		t.Fatalf("Add: %v", err)
	}
	return u
}

func wantErr(t testing.TB, err error, kind ErrorKind) {
	t.Helper()
	if !errors.Is(err, kind) {
		t.Fatalf("error %v, want kind %q", err, kind)
	}
}

func wantTip(t testing.TB, c *Chain, id BlockID) {
	t.Helper()
	if c.Tip() != id {
		t.Fatalf("tip %v, want %v", c.Tip(), id)
	}
}

func setHeight(h *Header, height uint32) { binary.LittleEndian.PutUint32(h[offHeight:], height) }
func setTime(h *Header, t uint32)        { binary.LittleEndian.PutUint32(h[offTimestamp:], t) }
func setBits(h *Header, bits uint32)     { binary.LittleEndian.PutUint32(h[offBits:], bits) }

// chainWork is the total work of a miner's chain, added up by standalone.
func chainWork(m *miner) (w uint256.Uint256) {
	total := new(big.Int)
	for i := range m.headers {
		total.Add(total, standalone.CalcWork(m.headers[i].Bits()))
	}
	w.SetBig(total)
	return w
}
