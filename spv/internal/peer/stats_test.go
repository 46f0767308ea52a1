package peer

import (
	"net"
	"testing"
	"time"

	"dcrspv/spv/spvtest"
)

// That the clock is set is no sign of life, nor of silence.
func TestHeardBySteadyClock(t *testing.T) {
	ours, theirs := net.Pipe()
	defer ours.Close()
	m := newMeter(ours)
	go theirs.Write([]byte{1})
	if _, err := m.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	for _, by := range []time.Duration{0, time.Hour, -365 * 24 * time.Hour} {
		if ago := spvtest.SetBy(now, by).Sub(m.heardAt()); ago < 0 || ago > now.Sub(m.began) {
			t.Errorf("set by %v: heard %v ago", by, ago)
		}
	}
}
