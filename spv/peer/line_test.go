package peer

import (
	"testing"
	"time"
)

// Answers that come in at the same time share the line, and so much longer each is
// waited for. One that has stopped takes nothing of it.
func TestAnswersShareTheLine(t *testing.T) {
	var l Line
	meters := make([]*meter, 8)
	for i := range meters {
		meters[i] = &meter{began: noon.Add(-time.Duration(i) * time.Second)}
		l.begin(meters[i])
	}
	for _, want := range []int{5, 4, 3, 2, 1, 1, 1, 1, 1} {
		if n := l.shared(noon); n != want {
			t.Errorf("%d answers come in, want %d", n, want)
		}
		l.end(meters[0])
		meters = append(meters[1:], meters[0])
	}
	if n := (*Line)(nil).shared(noon); n != 1 {
		t.Errorf("%d answers on a line of its own", n)
	}

	in := incoming{since: noon, bytes: 1000}
	for shared, want := range map[int]time.Duration{1: 10 * time.Second, 8: 80 * time.Second} {
		if got := in.until(1000+10*leastRate, shared).Sub(noon); got != want {
			t.Errorf("shared by %d: good for %v, want %v", shared, got, want)
		}
	}
	if got := in.until(1<<30, 3).Sub(noon); got != 3*longestAnswer {
		t.Errorf("the longest answer of three: %v", got)
	}
}
