package spv

import (
	"testing"
	"time"
)

func TestPaceTellsLate(t *testing.T) {
	var p pace
	if got := p.late(); got != lateUnknown {
		t.Errorf("unmeasured: late after %v, want %v", got, lateUnknown)
	}
	for _, tc := range []struct{ took, late time.Duration }{
		{0, lateFloor},
		{time.Millisecond, lateFloor},
		{time.Second, 8 * time.Second},
		{time.Minute, lateCeiling},
	} {
		p = pace{}
		p.learn(tc.took)
		if got := p.late(); got != tc.late {
			t.Errorf("requests take %v: late after %v, want %v", tc.took, got, tc.late)
		}
	}
}

// What everything waits for is late sooner.
func TestPaceTellsWhenToHedge(t *testing.T) {
	const ms = time.Millisecond
	for _, tc := range []struct{ took, hedge, headers time.Duration }{
		{0, hedgeUnknown, lateUnknown},
		{1 * ms, hedgeFloor, headerFloor},
		{100 * ms, 200 * ms, 800 * ms},
		{time.Minute, lateCeiling, lateCeiling},
	} {
		p := pace{average: tc.took}
		if p.hedge() != tc.hedge || p.lateHeaders() != tc.headers {
			t.Errorf("requests take %v: hedge %v, headers %v; want %v, %v",
				tc.took, p.hedge(), p.lateHeaders(), tc.hedge, tc.headers)
		}
	}
}

// A line with a long way is given more requests, up to a bound; one that is slow
// is given one.
func TestWindowFollowsTheLine(t *testing.T) {
	far := window{size: firstWindow}
	for range 100 {
		far.learn(200*time.Millisecond, far.size)
	}
	if far.size != maxWindow {
		t.Errorf("far peer: %d requests at a time, want %d", far.size, maxWindow)
	}
	slow := window{size: firstWindow}
	slow.learn(100*time.Millisecond, 1)
	for range 100 {
		slow.learn(time.Duration(slow.size)*300*time.Millisecond, slow.size)
	}
	if slow.size != 1 {
		t.Errorf("slow peer: %d requests at a time, want 1", slow.size)
	}
	idle := window{size: firstWindow}
	for range 100 {
		idle.learn(200*time.Millisecond, 1)
	}
	if idle.size != firstWindow {
		t.Errorf("a window that is not used up has become %d", idle.size)
	}
}
