package scan

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"dcrspv/filters"
	"dcrspv/spv/chain"
	"dcrspv/spv/spvtest"
)

// stored is a chain as a Source. It counts the blocks that were read.
type stored struct {
	*spvtest.Chain
	read chan int
}

func newStored(c *spvtest.Chain) *stored {
	s := &stored{c, make(chan int, 1)}
	s.read <- 0
	return s
}

func (s *stored) count() int {
	n := <-s.read
	s.read <- n
	return n
}

func (s *stored) Blocks(r chain.Range, fn func(uint32, *chain.Header, []byte) bool) error {
	n := 0
	defer func() { s.read <- <-s.read + n }()
	for h := r.From; h <= r.To; h++ {
		header := s.Header(h)
		if n++; !fn(h, &header, s.Filter(h)) {
			break
		}
	}
	return nil
}

func (s *stored) Next(id chain.BlockID) (h chain.Header, ok bool, err error) {
	if id.Height >= s.Height() || s.ID(id.Height) != id {
		return h, false, nil
	}
	return s.Header(id.Height + 1), true, nil
}

// busyChain pays some of the scripts 1 to n in many of its blocks.
func busyChain(rng *rand.Rand, blocks, n int) *spvtest.Chain {
	c := spvtest.NewChain(nil)
	for range blocks {
		block := spvtest.Template{Disapprove: rng.IntN(20) == 0}
		if rng.IntN(4) == 0 {
			block.Txs = append(block.Txs, c.Pay(spvtest.Script(uint32(1+rng.IntN(n))), 1e6))
		}
		c.MineTemplate(block)
	}
	return c
}

// wallet is somebody who wants a range tested, and what was handed out.
type wallet struct {
	Request
	next    uint32
	found   []uint32
	batches int
}

// wants is the naive answer.
func (w *wallet) wants(t *testing.T, c *spvtest.Chain) (heights []uint32) {
	var m filters.Matcher
	for h := max(w.From, 1); h <= w.To; h++ {
		header := c.Header(h)
		match, err := m.Match(w.Query, header.FilterKey(), c.Filter(h))
		if err != nil {
			t.Fatal(err)
		}
		if match {
			heights = append(heights, h)
		}
	}
	return heights
}

// Whatever the wallets want, and in whatever order they come back, each is tested for
// each block once and finds what it would have found alone.
//
// Rules 1 and 16.
func TestScansTogetherAsAlone(t *testing.T) {
	for seed := range uint64(30) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 1))
			const scripts = 40
			src := newStored(busyChain(rng, 200+rng.IntN(5000), scripts))
			wallets := make([]*wallet, 1+rng.IntN(12))
			var table Table[int]
			for k := range wallets {
				w := &wallet{}
				w.From = rng.Uint32N(src.Height() + 1)
				w.To = w.From + rng.Uint32N(src.Height()-w.From+1)
				if rng.IntN(3) == 0 {
					w.From, w.To = 0, src.Height()
				}
				var list [][]byte
				for range 1 + rng.IntN(8) {
					list = append(list, spvtest.Script(uint32(1+rng.IntN(2*scripts))))
				}
				w.Query, w.next = filters.NewQuery(list), w.From
				wallets[k] = w
			}
			absent := make(map[int]bool) // those that have not put a request
			for k := range wallets {
				absent[k] = true
			}
			for range 100000 {
				for k := range absent {
					if w := wallets[k]; w.next <= w.To && rng.IntN(2) == 0 {
						delete(absent, k)
						table.Put(k, Request{chain.Range{From: w.next, To: w.To}, w.Query})
					}
				}
				pass, ok := table.Start(all)
				if !ok {
					if !slices.ContainsFunc(wallets, func(w *wallet) bool { return w.next <= w.To }) {
						break
					}
					continue
				}
				res, err := Run(t.Context(), src, pass.Requests)
				if err != nil {
					t.Fatal(err)
				}
				for _, d := range table.Finish(res, func(int) bool { return rng.IntN(10) == 0 }) {
					w := wallets[d.Key]
					w.take(t, src.Chain, res, d)
					absent[d.Key] = true
				}
			}
			for k, w := range wallets {
				if want := w.wants(t, src.Chain); w.next != w.To+1 || !slices.Equal(w.found, want) {
					t.Errorf("wallet %d, %v: tested below %d, found %v, want %v", k, w.Range, w.next, w.found, want)
				}
			}
		})
	}
}

// take notes what a wallet gets, and checks that it is complete.
func (w *wallet) take(t *testing.T, c *spvtest.Chain, res Result, d Delivery[int]) {
	t.Helper()
	end := c.Header(d.Range.To)
	if d.Range.From != w.next || d.Range.To > w.To || d.End.ID != c.ID(d.Range.To) || d.End.Price != end.SBits() {
		t.Fatalf("%+v for %v, tested below %d", d, w.Range, w.next)
	}
	var disapproved []uint32
	for h := max(d.Range.From, 2); h <= d.Range.To; h++ {
		if header := c.Header(h); header.VoteBits()&1 == 0 {
			disapproved = append(disapproved, h-1)
		}
	}
	if !slices.Equal(d.Disapproved, disapproved) {
		t.Fatalf("%v: disapproved %v, want %v", d.Range, d.Disapproved, disapproved)
	}
	for _, m := range d.Matches {
		match := res.Matches[m]
		h := match.ID.Height
		if next, ok, _ := (&stored{Chain: c}).Next(match.ID); match.ID != c.ID(h) || match.Disapproved != (ok && next.VoteBits()&1 == 0) {
			t.Fatalf("%+v", match)
		}
		if h < d.Range.From || h > d.Range.To {
			t.Fatalf("block %d is not in %v", h, d.Range)
		}
		w.found = append(w.found, h)
	}
	w.next = d.Range.To + 1
	w.batches++
}

// A filter is read once for all who want it, and nobody hears of a pass that has found
// nothing for him before his request is done.
//
// Rule 1.
func TestOnePassForAll(t *testing.T) {
	const wallets, blocks = 100, 9000
	c := spvtest.NewChain(nil)
	c.Mine(4999)
	c.MineBlock(c.Pay(spvtest.Script(7), 1e8))
	c.Mine(blocks - 5000)
	src := newStored(c)
	var table Table[uint32]
	for k := range uint32(wallets) {
		table.Put(k, Request{chain.Range{From: 0, To: blocks}, filters.NewQuery([][]byte{spvtest.Script(k)})})
	}
	deliveries := make(map[uint32]int)
	for pass, ok := table.Start(all); ok; pass, ok = table.Start(all) {
		res, err := Run(t.Context(), src, pass.Requests)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range table.Finish(res, never[uint32]) {
			deliveries[d.Key]++
		}
	}
	if n := src.count(); n != blocks+1 {
		t.Errorf("%d blocks were read, want %d", n, blocks+1)
	}
	for k := range uint32(wallets) {
		if deliveries[k] != 1 {
			t.Errorf("wallet %d got %d deliveries", k, deliveries[k])
		}
	}
}

// What was forgotten, replaced or left the best chain during a pass gets nothing of it.
func TestChangesDuringAPass(t *testing.T) {
	c := spvtest.NewChain(nil)
	c.Mine(50)
	src := newStored(c)
	request := func(from uint32) Request {
		return Request{chain.Range{From: from, To: 50}, filters.NewQuery([][]byte{spvtest.Script(1)})}
	}
	for what, c := range map[string]struct {
		change func(*Table[string])
		left   int
	}{
		"nothing":  {func(*Table[string]) {}, 2},
		"removed":  {func(t *Table[string]) { t.Remove("a") }, 1},
		"replaced": {func(t *Table[string]) { t.Put("a", request(7)) }, 1},
		"cleared":  {func(t *Table[string]) { t.Clear() }, 0},
		"added":    {func(t *Table[string]) { t.Put("c", request(0)) }, 2},
	} {
		var table Table[string]
		table.Put("a", request(0))
		table.Put("b", request(20))
		pass, _ := table.Start(all)
		if _, ok := table.Start(all); ok {
			t.Errorf("%s: a second pass was started", what)
		}
		c.change(&table)
		res, err := Run(t.Context(), src, pass.Requests)
		if err != nil {
			t.Fatal(err)
		}
		if d := table.Finish(res, never[string]); len(d) != c.left {
			t.Errorf("%s: %d deliveries, want %d", what, len(d), c.left)
		}
	}
	var table Table[string]
	table.Put("a", request(0))
	table.Start(all)
	table.Fail()
	if pass, ok := table.Start(all); !ok || pass.Requests[0].From != 0 {
		t.Error("a pass that failed is not repeated")
	}
}

// A pass may be over short requests alone; the others wait.
func TestShortPass(t *testing.T) {
	var table Table[string]
	q := filters.NewQuery(nil)
	table.Put("long", Request{chain.Range{From: 0, To: 500}, q})
	if _, ok := table.Start(500); ok {
		t.Error("a pass over 501 blocks")
	}
	table.Put("short", Request{chain.Range{From: 1, To: 500}, q})
	pass, ok := table.Start(500)
	if !ok || len(pass.Requests) != 1 || pass.Requests[0].From != 1 {
		t.Fatalf("%+v", pass)
	}
	table.Fail()
	if pass, ok := table.Start(all); !ok || len(pass.Requests) != 2 {
		t.Errorf("%+v", pass)
	}
}

// An error of the store ends a pass.
func TestSourceFails(t *testing.T) {
	want := errors.New("no such filter")
	_, err := Run(t.Context(), failing{want}, []Request{{chain.Range{From: 0, To: 10}, filters.NewQuery(nil)}})
	if !errors.Is(err, want) {
		t.Errorf("%v", err)
	}
}

func never[K comparable](K) bool { return false }

// all requests, however long.
const all = math.MaxUint32

type failing struct{ err error }

func (failing) Next(chain.BlockID) (h chain.Header, ok bool, err error) { return h, false, nil }

func (f failing) Blocks(chain.Range, func(uint32, *chain.Header, []byte) bool) error { return f.err }

// BenchmarkWallets compares many wallets of 20 scripts with one that has all of their
// scripts.
func BenchmarkWallets(b *testing.B) {
	c := spvtest.NewChain(nil)
	c.Mine(20000)
	src := newStored(c)
	for _, wallets := range []int{1, 100, 1000} {
		for _, one := range []bool{false, true} {
			b.Run(fmt.Sprintf("wallets=%d/one=%v", wallets, one), func(b *testing.B) {
				var requests []Request
				var all [][]byte
				for k := range wallets {
					var scripts [][]byte
					for i := range 20 {
						scripts = append(scripts, spvtest.Script(uint32(100000+20*k+i)))
					}
					all = append(all, scripts...)
					requests = append(requests, Request{chain.Range{From: 1, To: 20000}, filters.NewQuery(scripts)})
				}
				if one {
					requests = []Request{{chain.Range{From: 1, To: 20000}, filters.NewQuery(all)}}
				}
				for b.Loop() {
					left := slices.Clone(requests)
					for from := uint32(1); from <= 20000; {
						for i := range left {
							left[i].From = from
						}
						res, err := Run(b.Context(), src, left)
						if err != nil {
							b.Fatal(err)
						}
						from = res.Through + 1
					}
				}
			})
		}
	}
}
