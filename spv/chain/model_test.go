package chain

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/decred/dcrd/blockchain/standalone/v2"
	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/math/uint256"
)

// tree is a random tree of valid headers, and the naive model of what a Chain
// that was given some of them must think.
type tree struct {
	leaves []*miner
	parent map[chainhash.Hash]chainhash.Hash
	work   map[chainhash.Hash]*big.Int
	known  map[chainhash.Hash]bool // has been given to the Chain
}

// newTree grows branches from random places, with random times, so that equal
// heights have different work.
func newTree(t testing.TB, rng *rand.Rand, branches, longest int) *tree {
	trunk := newMiner(t, simnet())
	trunk.mineN(5+rng.IntN(20), 1, 0)
	tr := &tree{parent: make(map[chainhash.Hash]chainhash.Hash), work: make(map[chainhash.Hash]*big.Int)}
	tr.leaves = []*miner{trunk}
	for i := range branches {
		from := tr.leaves[rng.IntN(len(tr.leaves))]
		m := from.fork(rng.IntN(len(from.headers)))
		for n := range 1 + rng.IntN(longest) {
			seconds := 1 + rng.IntN(3)
			if rng.IntN(4) == 0 && n%6 != 0 {
				seconds = 0
			}
			h := m.template(seconds)
			if checkMedianTime(&h, m.tip(), m.anc) != nil {
				seconds += 2
			}
			m.mine(seconds, uint32(i+1))
		}
		tr.leaves = append(tr.leaves, m)
	}
	for _, m := range tr.leaves {
		total := new(big.Int)
		for i := range m.headers {
			total.Add(total, standalone.CalcWork(m.headers[i].Bits()))
			hash := m.headers[i].Hash()
			tr.parent[hash] = m.headers[i].PrevBlock()
			tr.work[hash] = new(big.Int).Set(total)
		}
	}
	genesis := trunk.id(0).Hash
	tr.known = map[chainhash.Hash]bool{genesis: true}
	return tr
}

// best is the highest work among the known blocks.
func (tr *tree) best() *big.Int {
	most := new(big.Int)
	for hash := range tr.known {
		if w := tr.work[hash]; w.Cmp(most) > 0 {
			most = w
		}
	}
	return most
}

// path is the chain of hashes that ends with tip, by height.
func (tr *tree) path(tip chainhash.Hash) []chainhash.Hash {
	var hashes []chainhash.Hash
	for hash := tip; hash != (chainhash.Hash{}); hash = tr.parent[hash] {
		hashes = append(hashes, hash)
	}
	slices.Reverse(hashes)
	return hashes
}

// simulation drives a Chain and its store with a tree in random order.
type simulation struct {
	t     *testing.T
	rng   *rand.Rand
	tree  *tree
	chain *Chain
	store *memStore
	tip   BlockID // of the store
	work  uint256.Uint256
	// A write under way: handed out, not yet confirmed.
	writing bool
	above   uint32
	headers []Header
	newWork uint256.Uint256
}

// deliver gives the Chain a random piece of a random branch.
func (s *simulation) deliver() {
	m := s.tree.leaves[s.rng.IntN(len(s.tree.leaves))]
	if len(m.headers) == 1 {
		return
	}
	from := 1 + s.rng.IntN(len(m.headers)-1)
	b := m.batch(from, from+s.rng.IntN(len(m.headers)-from))
	before := s.chain.Tip()
	oldPath := s.tree.path(before.Hash)
	orphan := !s.tree.known[b.Headers[0].PrevBlock()] && !s.tree.known[b.Hashes[0]]
	u, err := s.chain.Add(b, testNow)
	if orphan {
		wantErr(s.t, err, ErrOrphan)
		return
	}
	if err != nil {
		s.t.Fatalf("Add: %v", err)
	}
	added := 0
	for _, hash := range b.Hashes {
		if !s.tree.known[hash] {
			s.tree.known[hash] = true
			added++
		}
	}
	last := BlockID{b.Headers[len(b.Headers)-1].Height(), b.Hashes[len(b.Hashes)-1]}
	if u.Added != added || u.Last != last {
		s.t.Fatalf("update %+v, want %d added, last %v", u, added, last)
	}
	s.checkSwitch(u, before, oldPath)
}

// abandon ends the best chain before a random block.
func (s *simulation) abandon() {
	m := s.tree.leaves[s.rng.IntN(len(s.tree.leaves))]
	id := m.id(s.rng.IntN(len(m.headers)))
	before := s.chain.Tip()
	oldPath := s.tree.path(before.Hash)
	u, err := s.chain.Abandon(id)
	if err != nil {
		s.t.Fatalf("Abandon: %v", err)
	}
	if id.Height > 0 && slices.Contains(oldPath, id.Hash) {
		clear(s.tree.known)
		for _, hash := range oldPath[:id.Height] {
			s.tree.known[hash] = true
		}
	}
	s.checkSwitch(u, before, oldPath)
}

// checkSwitch compares what Update says about the best chain with the paths
// before and after.
func (s *simulation) checkSwitch(u Update, before BlockID, oldPath []chainhash.Hash) {
	after := s.chain.Tip()
	if u.Best != (after != before) {
		s.t.Fatalf("update %+v, from %v to %v", u, before, after)
	}
	if !u.Best {
		return
	}
	newPath := s.tree.path(after.Hash)
	n := 0
	for n < len(oldPath) && n < len(newPath) && oldPath[n] == newPath[n] {
		n++
	}
	if u.Fork != (BlockID{uint32(n - 1), oldPath[n-1]}) || u.Reorged != len(oldPath)-n {
		s.t.Fatalf("update %+v, want fork %d, reorged %d", u, n-1, len(oldPath)-n)
	}
}

// persist begins, finishes, or loses a write, or restarts from the store.
func (s *simulation) persist() {
	switch {
	case s.writing:
		if s.rng.IntN(4) > 0 { // else it failed
			s.tip = s.store.replace(s.above, s.headers)
			s.work = s.newWork
		}
		s.chain.Stored(s.tip)
		s.writing = false
	case s.rng.IntN(12) == 0:
		s.restart()
	default:
		s.above, s.headers, s.newWork, s.writing = s.chain.Unstored(1 + s.rng.IntN(20))
		if s.writing {
			s.checkOffer()
		}
	}
}

// checkOffer checks that the headers handed out continue the store's chain
// along the best chain.
func (s *simulation) checkOffer() {
	path := s.tree.path(s.chain.Tip().Hash)
	if s.above > s.tip.Height || s.above > 0 && s.store.headers[s.above-1].Hash() != path[s.above] {
		s.t.Fatalf("offer above %d does not fit the store", s.above)
	}
	for i := range s.headers {
		if s.headers[i].Hash() != path[int(s.above)+1+i] {
			s.t.Fatalf("offer: header %d is not of the best chain", int(s.above)+1+i)
		}
	}
	last := path[int(s.above)+len(s.headers)]
	if s.newWork.ToBig().Cmp(s.tree.work[last]) != 0 {
		s.t.Fatalf("offer: work %v, want %x", s.newWork, s.tree.work[last])
	}
}

// restart begins anew with what the store has; the rest is forgotten.
func (s *simulation) restart() {
	s.chain = New(s.chain.rules, s.store, s.tip, s.work)
	s.shrink()
	clear(s.tree.known)
	for _, hash := range s.tree.path(s.tip.Hash) {
		s.tree.known[hash] = true
	}
}

// shrink makes the memory so small that the Source is used.
func (s *simulation) shrink() { s.chain.keep = 4 }

// check compares the Chain with the model.
func (s *simulation) check() {
	c := s.chain
	w := c.Work()
	if want := s.tree.best(); w.ToBig().Cmp(want) != 0 || s.tree.work[c.Tip().Hash].Cmp(want) != 0 {
		s.t.Fatalf("work %v, tip %v, want %x", w, c.Tip(), want)
	}
	path := s.tree.path(c.Tip().Hash)
	for height, want := range path {
		hash, ok := c.Hash(uint32(height))
		h, ok2 := c.Header(uint32(height))
		if !ok || !ok2 || hash != want || h.Hash() != want {
			s.t.Fatalf("block %d: %v, want %v", height, hash, want)
		}
	}
	for _, m := range s.tree.leaves {
		for height := range m.headers {
			id := m.id(height)
			if c.Known(id.Hash, id.Height) != s.tree.known[id.Hash] {
				s.t.Fatalf("known %v: %v", id, !s.tree.known[id.Hash])
			}
			if on := height < len(path) && path[height] == id.Hash; c.Contains(id) != on {
				s.t.Fatalf("contains %v: %v", id, !on)
			}
		}
	}
	if c.best.base > c.common+1 || c.best.len() == 0 {
		s.t.Fatalf("memory begins at %d, store is common up to %d", c.best.base, c.common)
	}
}

// simulate runs one seed.
func simulate(t *testing.T, seed uint64, steps int) {
	rng := rand.New(rand.NewPCG(seed, 7))
	tr := newTree(t, rng, 1+rng.IntN(7), 25)
	s := &simulation{t: t, rng: rng, tree: tr, store: &memStore{}, tip: tr.leaves[0].id(0)}
	s.chain = newChain(tr.leaves[0].r, s.store)
	s.shrink()
	for range steps {
		switch n := rng.IntN(30); {
		case n < 18:
			s.deliver()
		case n < 20:
			s.abandon()
		default:
			s.persist()
		}
		s.check()
	}
	// Whatever came before: everything delivered once more in order, the best
	// chain is that of the whole tree.
	for _, m := range tr.leaves {
		if len(m.headers) > 1 {
			mustAdd(t, s.chain, m.batch(1, len(m.headers)-1))
			for i := range m.headers {
				tr.known[m.headers[i].Hash()] = true
			}
		}
	}
	s.check()
}

// TestChainAgainstModel delivers random trees of headers in random pieces and
// orders, with writes, failed writes and restarts in between.
// Rules 8 and 12.
func TestChainAgainstModel(t *testing.T) {
	for seed := range uint64(60) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { simulate(t, seed, 60) })
	}
}

func FuzzChainAgainstModel(f *testing.F) {
	f.Add(uint64(1), uint8(40))
	f.Fuzz(func(t *testing.T, seed uint64, steps uint8) { simulate(t, seed, int(steps)) })
}
