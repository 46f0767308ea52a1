package spv

import (
	"context"
	"testing"
	"testing/synctest"
)

// Whoever watches sees the latest status, however slow others are, until its context
// ends.
//
// Rule 18.
func TestBoard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBoard()
		ctx, leave := context.WithCancel(t.Context())
		slow, fast := b.watch(t.Context()), b.watch(ctx)
		<-fast // the one of now
		for i := range 5 {
			b.show(Status{Peers: i + 1})
			if st := <-fast; st.Peers != i+1 {
				t.Errorf("%d peers, want %d", st.Peers, i+1)
			}
		}
		if st := <-slow; st.Peers != 5 {
			t.Errorf("the slow one sees %d peers, want 5", st.Peers)
		}
		leave()
		synctest.Wait()
		if _, open := <-fast; open || len(b.watchers) != 1 {
			t.Errorf("%d watch, want 1", len(b.watchers))
		}

		_, changed := b.get()
		b.show(Status{Peers: 6})
		select {
		case <-changed:
			t.Error("who waits for the sync is woken by something else")
		default:
		}
		b.show(Status{Synced: true})
		<-changed
	})
}
