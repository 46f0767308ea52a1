package peer

import (
	"testing"
	"time"
)

func TestBucket(t *testing.T) {
	var b bucket
	now := noon
	for i, step := range []struct {
		after time.Duration
		n     float64
		want  bool
	}{
		{0, 0, true}, {0, 11, false}, {0, 10, true}, {0, 1, false}, {0, 0, true},
		{999 * time.Millisecond, 1, false}, {time.Millisecond, 1, true}, {0, 0.5, false},
		{5 * time.Second, 4, true}, {-time.Hour, 1, true}, {0, 1, false}, {2 * time.Hour, 11, false}, {0, 10, true}, {0, 1, false},
	} {
		now = now.Add(step.after)
		if got := b.take(step.n, rate{burst: 10, perMinute: 60}, now); got != step.want {
			t.Errorf("step %d: %v, want %v", i, got, step.want)
		}
	}
}
