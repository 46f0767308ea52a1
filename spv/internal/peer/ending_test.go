package peer

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/decred/dcrd/wire"
)

func TestCloseFromEverywhere(t *testing.T) {
	running(t, new(log), func(t *testing.T, p *Peer, r *remote, ended <-chan answer[any]) {
		first := errors.New("first")
		p.Close(first)
		done := make(chan struct{})
		for range 8 {
			go func() {
				p.Close(errors.New("later"))
				done <- struct{}{}
			}()
		}
		for range 8 {
			<-done
		}
		wantError(t, (<-ended).err, first)
		wantError(t, p.Run(t.Context(), new(log)), ErrRequest)
	})
}

func TestCloseWithoutRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := connect(t, remoteVersion())
		p.Close(nil)
		wantError(t, p.Run(t.Context(), new(log)), ErrClosed)
	})
}

// Rule 9.
func TestRunEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := connect(t, remoteVersion())
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		ended := call(func() (any, error) { return nil, p.Run(ctx, new(log)) })
		got := <-ended
		wantError(t, got.err, context.DeadlineExceeded)
		if got.took != time.Hour {
			t.Errorf("ended after %v", got.took)
		}
	})
}

func TestRunEndsWithTheRemote(t *testing.T) {
	running(t, new(log), func(t *testing.T, p *Peer, r *remote, ended <-chan answer[any]) {
		r.hangUp()
		err := endedNow(t, ended)
		wantError(t, err, ErrClosed)
		// Whoever asks later is told the reason, once.
		if later := p.send(wire.NewMsgPing(1)); later == nil || later.Error() != err.Error() {
			t.Errorf("%v, the connection ended with %v", later, err)
		}
	})
}
