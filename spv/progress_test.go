package spv

import (
	"testing"
	"time"
)

func TestProgressRate(t *testing.T) {
	start := time.Unix(1_700_000_000, 0)
	var p progress
	p.start(start, 100)
	p.enter(Headers, 100, start)
	if rate, eta := p.rate(100, 1100, start); rate != 0 || eta != 0 {
		t.Errorf("rate %v, eta %v with nothing done, want unknown", rate, eta)
	}
	at := start.Add(10 * time.Second)
	if rate, eta := p.rate(600, 1100, at); rate != 50 || eta != 10*time.Second {
		t.Errorf("rate %v, eta %v, want 50 and 10s", rate, eta)
	}
	if _, eta := p.rate(1100, 1100, at); eta != 0 {
		t.Errorf("eta %v at the end", eta)
	}
	// A reorg to a lower height is no rate at all.
	if rate, eta := p.rate(90, 1100, at); rate != 0 || eta != 0 {
		t.Errorf("rate %v, eta %v going backwards", rate, eta)
	}
	// A new phase starts its own count.
	p.enter(Filters, 0, at)
	if rate, _ := p.rate(10, 1100, at.Add(time.Second)); rate != 10 {
		t.Errorf("rate %v, want 10", rate)
	}
}

func TestProgressAccountsForPhases(t *testing.T) {
	start := time.Unix(1_700_000_000, 0)
	var p progress
	p.start(start, 0)
	steps := []struct {
		phase Phase
		after time.Duration
	}{
		{Connecting, 0}, {Headers, 1}, {Filters, 4}, {Headers, 6}, {Scanning, 7}, {InSync, 12},
	}
	for _, s := range steps {
		p.enter(s.phase, 0, start.Add(s.after*time.Second))
	}
	p.finishInitial(start.Add(12 * time.Second))
	got := p.seconds(start.Add(100 * time.Second))
	want := Seconds{Total: 100, Headers: 5, Filters: 2, Scan: 5}
	if got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// Rule 3.
func TestLagBoundary(t *testing.T) {
	for _, tc := range []struct {
		height, tip uint32
		ok          bool
	}{
		{94, 100, true}, {93, 100, false}, {0, 6, true}, {0, 7, false}, {200, 100, true},
		{^uint32(0), 100, true}, {0, 0, true},
	} {
		if err := lagError(tc.height, tc.tip); (err == nil) != tc.ok {
			t.Errorf("peer at %d, tip %d: %v", tc.height, tc.tip, err)
		}
	}
}
