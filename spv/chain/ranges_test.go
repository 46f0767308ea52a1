package chain

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// rangeModel is the obvious set of heights below 64.
type rangeModel [64]bool

func (m *rangeModel) set(x Range, v bool) {
	for h := x.From; h <= x.To; h++ {
		m[h] = v
	}
}

// ranges is the model in normal form, cut to x.
func (m *rangeModel) ranges(x Range, v bool) Ranges {
	var out Ranges
	for h := x.From; h <= x.To; h++ {
		if m[h] != v {
			continue
		}
		if n := len(out); n > 0 && out[n-1].To+1 == h {
			out[n-1].To = h
		} else {
			out = append(out, Range{h, h})
		}
	}
	return out
}

func TestRangesAgainstModel(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	all := Range{0, 63}
	for range 300 {
		var r Ranges
		var m rangeModel
		for range 30 {
			from := rng.Uint32N(64)
			x := Range{from, from + rng.Uint32N(64-from)}
			before := slices.Clone(r)
			var next Ranges
			if rng.IntN(2) == 0 {
				next = r.Add(x)
				m.set(x, true)
			} else {
				next = r.Remove(x)
				m.set(x, false)
			}
			if !slices.Equal(r, before) {
				t.Fatalf("receiver changed: %v, was %v", r, before)
			}
			r = next
			checkRanges(t, r, &m, all)
		}
	}
}

func checkRanges(t *testing.T, r Ranges, m *rangeModel, all Range) {
	t.Helper()
	if want := m.ranges(all, true); !slices.Equal(r, want) {
		t.Fatalf("got %v, want %v", r, want)
	}
	for h := all.From; h <= all.To; h++ {
		if r.Contains(h) != m[h] {
			t.Fatalf("%v contains %d: %v", r, h, !m[h])
		}
		to, ok := r.Through(h)
		if ok != m[h] || ok && (!r.Covers(Range{h, to}) || r.Contains(to+1)) {
			t.Fatalf("%v through %d: %d, %v", r, h, to, ok)
		}
		for _, end := range []uint32{h, min(h+5, all.To), all.To} {
			x := Range{h, end}
			missing := m.ranges(x, false)
			if got := r.Missing(x); !slices.Equal(got, missing) {
				t.Fatalf("%v missing of %v: got %v, want %v", r, x, got, missing)
			}
			if r.Covers(x) != (len(missing) == 0) {
				t.Fatalf("%v covers %v: %v", r, x, r.Covers(x))
			}
		}
	}
}

func TestRangesAtTheEnds(t *testing.T) {
	const last = math.MaxUint32
	r := Ranges{}.Add(Range{0, 0}).Add(Range{last, last}).Add(Range{1, last - 1})
	if !slices.Equal(r, Ranges{{0, last}}) {
		t.Fatalf("got %v", r)
	}
	r = r.Remove(Range{last, last}).Remove(Range{0, 0})
	if !slices.Equal(r, Ranges{{1, last - 1}}) {
		t.Fatalf("got %v", r)
	}
	if got := r.Missing(Range{0, last}); !slices.Equal(got, Ranges{{0, 0}, {last, last}}) {
		t.Fatalf("missing %v", got)
	}
	if got := r.Remove(Range{0, last}); len(got) != 0 {
		t.Fatalf("left %v", got)
	}
}

// A span that ends before it begins holds nothing.
func TestRangesIgnoreEmptySpan(t *testing.T) {
	r, none := Ranges{{5, 9}}, Range{7, 6}
	if !slices.Equal(r.Add(none), r) || !slices.Equal(r.Remove(none), r) || r.Missing(none) != nil {
		t.Errorf("add %v, remove %v, missing %v", r.Add(none), r.Remove(none), r.Missing(none))
	}
	if n := (Range{7, 9}).Len(); n != 3 {
		t.Errorf("length %d, want 3", n)
	}
}
