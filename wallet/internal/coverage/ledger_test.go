package coverage

import (
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"dcrspv/spv/chain"
)

const top = 64 // the highest height is one less

type item struct {
	Entry
	n int
}

// naive is the ledger as a table, and what was stored of the real one.
type naive struct {
	tested map[*item]*[top]bool

	nextGroup uint64
	groups    map[uint64]string
	scripts   map[*item]uint64
}

func (n *naive) NewGroup() uint64 {
	n.nextGroup++
	return n.nextGroup
}

func (n *naive) SaveGroup(id uint64, covered chain.Ranges) { n.groups[id] = string(Encode(covered)) }
func (n *naive) DropGroup(id uint64)                       { delete(n.groups, id) }

func (n *naive) SaveScripts(items []*item) {
	for _, s := range items {
		n.scripts[s] = s.Group()
	}
}

func (n *naive) missing(s *item, h uint32) bool { return s.watched && !n.tested[s][h] }

// exempt has nothing tested below the birthday.
func (n *naive) exempt(s *item) {
	for h := range min(s.birthday, top) {
		n.tested[s][h] = true
	}
}

func (n *naive) untest(s *item, r chain.Range) {
	for h := r.From; h <= min(r.To, top-1); h++ {
		n.tested[s][h] = false
	}
}

// TestLedger: random changes against a table with a bit for each script and height.
// Rule 15.
func TestLedger(t *testing.T) {
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 1))
		n := &naive{tested: make(map[*item]*[top]bool), groups: make(map[uint64]string), scripts: make(map[*item]uint64)}
		l := New[*item](100)
		for op := range 120 {
			e := l.Edit(n)
			n.change(e, rng)
			saved := rng.IntN(2) == 0
			if saved {
				e.SaveTested()
			}
			if err := n.differs(l, saved, rng.Uint32N(top), rng.Uint32N(top)); err != "" {
				t.Fatalf("seed %d, operation %d: %s", seed, op, err)
			}
		}
	}
}

func (n *naive) change(e *Edit[*item], rng *rand.Rand) {
	h := rng.Uint32N(top)
	r := chain.Range{From: h, To: h + rng.Uint32N(top-h)}
	all := slices.SortedFunc(maps.Keys(n.tested), func(a, b *item) int { return a.n - b.n })
	op := rng.IntN(9)
	if len(all) == 0 {
		op = 0
	}
	var s *item
	if op > 0 {
		s = all[rng.IntN(len(all))]
	}
	switch op {
	case 0:
		var fresh []*item
		for range 1 + rng.IntN(3) {
			s := &item{n: int(rng.Int32())}
			e.SetWatched(s, rng.IntN(3) > 0)
			fresh = append(fresh, s)
			n.tested[s] = new([top]bool)
		}
		e.Add(fresh, h)
		for _, s := range fresh {
			n.exempt(s)
		}
	case 1:
		if h < s.birthday {
			e.Add([]*item{s}, h)
			*n.tested[s] = [top]bool{}
			n.exempt(s)
		} else {
			e.Raise(s, h)
			n.exempt(s)
		}
	case 2:
		e.Remove(s)
		delete(n.tested, s)
		delete(n.scripts, s)
	case 3:
		e.SetWatched(s, !s.watched)
	case 4:
		e.Untest(s, r)
		n.untest(s, r)
	case 5:
		chosen := func(s *item) bool { return s.n%2 == 0 }
		e.UntestAll(chosen, r)
		for _, s := range all {
			if chosen(s) {
				n.untest(s, r)
				n.exempt(s)
			}
		}
	case 6:
		e.Undo(h)
		for _, s := range all {
			n.untest(s, chain.Range{From: h + 1, To: top})
			n.exempt(s)
		}
	case 7:
		e.Merge()
	case 8:
		n.scan(e, rng, h)
	}
}

// scan tests what is next, with a change meanwhile.
func (n *naive) scan(e *Edit[*item], rng *rand.Rand, near uint32) {
	r, groups, ok := e.Next(near, top-1)
	if !ok {
		return
	}
	var scripts [][]*item
	for _, g := range groups {
		scripts = append(scripts, slices.Clone(g.Scripts()))
	}
	versions := e.Give(groups)
	if rng.IntN(2) == 0 {
		n.change(e, rng)
	}
	same := e.Unchanged(versions)
	e.TakeBack()
	e.Tested(same, r)
	for _, g := range same {
		for _, s := range scripts[slices.Index(versions, g.version)] {
			for h := r.From; h <= r.To; h++ {
				n.tested[s][h] = true
			}
		}
	}
}

// differs says where the ledger is not as the table, and what was stored is not as the
// ledger, if all of it was.
func (n *naive) differs(l *Ledger[*item], saved bool, near, limit uint32) string {
	lowest, watched := ^uint32(0), false
	through, blocks := limit, uint32(0)
	for h := range uint32(top) {
		any := false
		for s, tested := range n.tested {
			if l.IsCovered(s, h) != tested[h] {
				return "another coverage"
			}
			any = any || n.missing(s, h)
		}
		if any && h <= limit {
			if blocks == 0 {
				through = h - 1
			}
			blocks++
		}
	}
	for s := range n.tested {
		if s.watched {
			lowest, watched = min(lowest, s.birthday), true
		}
		if g := n.scripts[s]; g != s.Group() || saved && n.groups[g] != string(Encode(l.Covered(s))) {
			return "stored otherwise"
		}
	}
	if len(n.groups) != len(l.Groups()) || len(n.scripts) != len(n.tested) {
		return "more or less is stored"
	}
	if got, ok := l.Birthday(); ok != watched || got != lowest {
		return "another birthday"
	}
	if got := l.Missing(limit); got != blocks {
		return "another number of missing blocks"
	}
	if got, ok := l.Through(limit); ok && got != through || ok != (watched && lowest <= limit && through+1 > lowest) {
		return "tested up to another height"
	}
	return n.nextDiffers(l, near, limit)
}

// nextDiffers says whether what is next is not the first block that is missing, for all
// scripts that have to be tested on all of it.
func (n *naive) nextDiffers(l *Ledger[*item], near, limit uint32) string {
	ready := func(s *item) bool { return n.tested[s][near] }
	first, found := uint32(0), false
	for h := near + 1; h <= limit && !found; h++ {
		for s := range n.tested {
			if ready(s) && n.missing(s, h) {
				first, found = h, true
			}
		}
	}
	if !found {
		ready = func(*item) bool { return true }
	}
	for h := uint32(0); h <= limit && !found; h++ {
		for s := range n.tested {
			if n.missing(s, h) {
				first, found = h, true
			}
		}
	}
	r, groups, ok := l.Next(near, limit)
	if ok != found || ok && (r.From != first || r.To > limit) {
		return "next is another block"
	}
	in := make(map[*item]bool)
	for _, g := range groups {
		for _, s := range g.Scripts() {
			in[s] = true
		}
	}
	for s := range n.tested {
		for h := r.From; ok && h <= r.To; h++ {
			if ready(s) && n.missing(s, h) != (in[s] && s.watched) {
				return "next is for others"
			}
		}
	}
	return ""
}

// TestLoad: a ledger that was stored is the same, and its versions go on.
func TestLoad(t *testing.T) {
	n := &naive{groups: make(map[uint64]string), scripts: make(map[*item]uint64)}
	e := New[*item](0).Edit(n)
	a, b := new(item), new(item)
	e.SetWatched(a, true)
	e.Add([]*item{a, b}, 5)
	e.Untest(b, chain.Range{From: 2, To: 3})
	l := New[*item](e.version)
	for id, covered := range n.groups {
		r, ok := Decode([]byte(covered))
		if !ok {
			t.Fatal(covered)
		}
		l.Load(id, r)
	}
	a2, b2 := new(item), new(item)
	if !l.LoadScript(a2, n.scripts[a], 5, true) || !l.LoadScript(b2, n.scripts[b], 5, false) || l.LoadScript(new(item), 99, 0, true) {
		t.Fatal("groups are missing, or there is one too many")
	}
	if *a2 != *a || *b2 != *b || !slices.Equal(l.Covered(b2), e.Covered(b)) || l.Missing(9) != 5 {
		t.Errorf("%+v, %+v", *a2, *b2)
	}
	for _, g := range l.Groups() {
		if g.version <= e.version {
			t.Errorf("version %d was given before", g.version)
		}
	}
}

// TestDecode: only what Encode makes is a coverage.
func TestDecode(t *testing.T) {
	r := chain.Ranges{{From: 0, To: 4}, {From: 7, To: 7}}
	if got, ok := Decode(Encode(r)); !ok || !slices.Equal(got, r) {
		t.Error(got)
	}
	for _, b := range []string{"\x00", "\x00\x00\x00\x02\x00\x00\x00\x01", string(Encode(r)) + string(Encode(r[:1]))} {
		if got, ok := Decode([]byte(b)); ok {
			t.Errorf("%x is %v", b, got)
		}
	}
}
