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
