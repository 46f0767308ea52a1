package requests

import (
	"testing"
	"time"

	"dcrspv/spv/internal/registry"
)

// A line is full while it brings half of what the fastest answer of those who are
// connected came with, at least.
func TestLineIsFull(t *testing.T) {
	d := NewTable[int]()
	d.Join("a", 0)
	d.Join("b", 0)
	now, bytes := t0, int64(0)
	pass := func(rate int64) {
		for range 8 {
			now, bytes = now.Add(time.Second), bytes+rate
			d.Received(bytes, now)
		}
	}
	pass(10_000)
	if d.lineFull() {
		t.Error("full before anybody was measured")
	}
	d.Learn("b", registry.Filters, 100, 10*time.Second)
	if pass(2 * lineSlow); d.lineFull() {
		t.Error("what many bring together is no slow line")
	}
	d.Learn("a", registry.Headers, 100_000, 10*time.Second)
	d.Learn("a", registry.Headers, 100_000, 20*time.Second)
	for _, c := range []struct {
		rate int64
		full bool
	}{{10_000, true}, {5000, true}, {4900, false}, {0, false}, {6000, true}} {
		if pass(c.rate); d.lineFull() != c.full {
			t.Errorf("%d bytes a second: full is %v", c.rate, !c.full)
		}
	}
	d.Learn("b", registry.Filters, 100_000, time.Second)
	if d.lineFull() {
		t.Error("full, and an answer came ten times as fast")
	}
	d.Leave("b")
	if !d.lineFull() {
		t.Error("what one has shown who is gone still counts")
	}
}

// On a full line nobody is late who has proved itself and delivers. Who does not, or is
// new, is; and none of it holds when the line is known to be faster. In the end somebody
// else is asked all the same.
// Rule 1.
func TestFullLineExcuses(t *testing.T) {
	const takes = 10 * time.Second
	for _, c := range []struct {
		name         string
		proved, full bool
		moves        bool
		copies       int
	}{
		{"delivers", true, true, true, 0},
		{"silent", true, true, false, 1},
		{"new", false, true, true, 1},
		{"slow", true, false, true, 1},
	} {
		d := NewTable[int]()
		d.Join("a", 0)
		d.Join("b", 0)
		rate := 5000
		if !c.full {
			rate = 50_000
		}
		if c.proved {
			d.Learn("a", registry.Filters, rate, time.Second)
		}
		open := []*Request[int]{{Kind: registry.Filters}}
		able := func(*Request[int], bool) []string { return []string{"a"} }
		started := d.Assign(open, able, t0)
		if len(started) != 1 {
			t.Fatalf("%s: %d requests", c.name, len(started))
		}
		started[0].Moves = func() bool { return c.moves }
		d.Learn("b", registry.Filters, 10*rate, takes)
		able = func(*Request[int], bool) []string { return []string{"a", "b"} }
		copies := 0
		for now := t0; now.Before(t0.Add(excuseFactor * takes)); now = now.Add(time.Second) {
			d.Received(5000*int64(now.Sub(t0)/time.Second), now)
			copies += len(d.Assign(open, able, now))
		}
		if copies != c.copies {
			t.Errorf("%s: %d copies, want %d", c.name, copies, c.copies)
		}
		if got := d.Excused("a", registry.Filters, excuseFactor*takes-1, c.moves); got != (c.copies == 0) {
			t.Errorf("%s: excused is %v", c.name, got)
		}
		if d.Excused("a", registry.Filters, excuseFactor*takes, c.moves) {
			t.Errorf("%s: excused for ever", c.name)
		}
	}
}
