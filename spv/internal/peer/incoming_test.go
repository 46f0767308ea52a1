package peer

import (
	"testing"
	"time"
)

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
	if good := in.until(bytes, 1, now); !good.IsZero() || in.received(bytes) != 0 {
		t.Errorf("between answers: %v, %d bytes", good, in.received(bytes))
	}
}
