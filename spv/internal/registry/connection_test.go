package registry

import (
	"errors"
	"testing"
)

// There are no more dials than slots, however often NextDial is called.
func TestSlots(t *testing.T) {
	r := fixture(t, Options{MaxConnected: 2}, far(1), far(2), far(3))
	for range 2 {
		addr, ok := r.NextDial(t0)
		if !ok || r.Dialing(addr, t0) != nil {
			t.Fatal("no dial")
		}
	}
	if addr, ok := r.NextDial(t0); ok {
		t.Errorf("%s is dialed beyond the limit", addr)
	}
	if _, ok := r.NextDialTime(t0); ok {
		t.Error("a time without a slot")
	}
	for _, e := range r.order {
		if e.conn.state == stateDialing {
			r.DialFailed(e.addr, errors.New("refused"), t0)
			break
		}
	}
	if when, ok := r.NextDialTime(t0); !ok || !when.Equal(t0) {
		t.Errorf("next dial at %v, %v", when, ok)
	}
}
