package requests

import (
	"testing"
	"time"
)

// A line with a long way is given more requests, up to a bound; one that is slow
// is given one.
func TestWindowFollowsTheLine(t *testing.T) {
	far := window{size: firstWindow}
	for range 100 {
		far.learn(200*time.Millisecond, far.size)
	}
	if far.size != MaxWindow {
		t.Errorf("far peer: %d requests at a time, want %d", far.size, MaxWindow)
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
