package peer

import (
	"testing"
	"time"
)

// Connections that bytes come in by share the line. One that has stopped takes nothing
// of it.
func TestConnectionsShareTheLine(t *testing.T) {
	var l Line
	meters := make([]*meter, 8)
	for i := range meters {
		meters[i] = &meter{began: noon.Add(-time.Duration(i) * time.Second)}
		l.join(meters[i])
	}
	for _, want := range []int{5, 4, 3, 2, 1, 1, 1, 1, 1} {
		if n := l.shared(noon); n != want {
			t.Errorf("%d connections move, want %d", n, want)
		}
		l.leave(meters[0])
		meters = append(meters[1:], meters[0])
	}
	if n := (*Line)(nil).shared(noon); n != 1 {
		t.Errorf("%d connections on a line of its own", n)
	}
}

// An answer is waited for while it comes in, the longer the more share the line when it
// does. That it once came in fast counts for the limit of a request.
// Rule 1.
func TestIncomingIsWaitedFor(t *testing.T) {
	in := incoming{began: 1000, seen: 1000, good: noon}
	bytes, now := int64(1000), noon
	for range 600 {
		bytes += leastRate * 3 / 2
		now = now.Add(time.Second)
		if good := in.until(bytes, 1, now); good.Before(now) {
			t.Fatalf("given up after %v", now.Sub(noon))
		}
	}
	fast := in.until(bytes, 1, now)
	if got := fast.Sub(now); got != stallLimit {
		t.Errorf("what has come counts for %v, want %v", got, stallLimit)
	}
	for range 30 {
		bytes += leastRate / 8
		now = now.Add(time.Second)
		in.until(bytes, 8, now)
	}
	if got := in.until(bytes, 8, now).Sub(now); got != stallLimit {
		t.Errorf("with an eighth of the line it counts for %v, want %v", got, stallLimit)
	}
	for range 60 {
		bytes += leastRate / 8
		now = now.Add(time.Second)
		in.until(bytes, 1, now)
	}
	if good := in.until(bytes, 1, now); !good.Before(now) {
		t.Errorf("an eighth of the least rate is waited for, until %v later", good.Sub(now))
	}
	in.end()
	if good := in.until(bytes, 1, now); !good.IsZero() || in.so(bytes) != 0 {
		t.Errorf("between answers: %v, %d bytes", good, in.so(bytes))
	}
}
