package spv

import (
	"testing"
	"testing/synctest"
	"time"
)

// No peer has more than one message in memory that was not dealt with, however
// fast it sends: its reader waits.
// Rule 20.
func TestAPeerWaitsForItsLastMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &engine{loop: newLoop(t.Context(), time.Now), network: new(network)}
		h := &handler{e: e, s: &session{addr: "192.0.2.1:9108"}}
		said := 0
		go func() {
			for range 3 {
				h.Addrs([]string{"192.0.2.2:9108"})
				said++
			}
		}()
		for n := range 3 {
			synctest.Wait()
			if len(e.events) != 1 || said != n {
				t.Errorf("%d messages wait, %d are dealt with; want 1 and %d", len(e.events), said, n)
			}
			(<-e.events).apply(e)
		}
		synctest.Wait()
		if said != 3 {
			t.Errorf("%d are dealt with", said)
		}
	})
}
