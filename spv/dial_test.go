package spv_test

import (
	"context"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"dcrspv/spv"
	"dcrspv/spv/spvtest"
)

// A dial is given ten seconds, and the address is dialed again after its pause;
// the pause follows on the ten seconds.
func TestDialsEndAfterTenSeconds(t *testing.T) {
	story(t, 50, func(w *world) {
		w.join(spvtest.Behaviour{})
		var mu sync.Mutex
		var begun, took []time.Duration
		began := time.Now()
		w.start(func(cfg *spv.Config) {
			cfg.Dial = func(ctx context.Context, _, _ string) (net.Conn, error) {
				at := time.Since(began)
				<-ctx.Done()
				mu.Lock()
				defer mu.Unlock()
				begun, took = append(begun, at), append(took, time.Since(began)-at)
				return nil, ctx.Err()
			}
		})
		w.pass(11500 * time.Millisecond)
		if n := len(w.syncer.Status().CutOff); n != 0 {
			t.Errorf("%d peers are said to be cut off", n)
		}
		w.pass(time.Minute)
		mu.Lock()
		defer mu.Unlock()
		if len(took) < 3 || begun[0] != 0 || begun[1] < 10500*time.Millisecond || begun[1] > 11500*time.Millisecond {
			t.Errorf("dialed after %v", begun)
		}
		for _, d := range took {
			if d != 10*time.Second {
				t.Errorf("dials ended after %v, want 10s each", took)
				break
			}
		}
	})
}

// A host name stays a name: the dialer gets it each time, and resolves it as it
// is then. The peer is known by it.
func TestNamesAreResolvedAtEachDial(t *testing.T) {
	story(t, 50, func(w *world) {
		const name = "node.example:18555"
		first, second := w.join(spvtest.Behaviour{}), w.join(spvtest.Behaviour{})
		resolved := w.addrs
		var mu sync.Mutex
		var dialed []string
		w.start(func(cfg *spv.Config) {
			cfg.Connect = []string{"Node.Example"}
			cfg.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
				mu.Lock()
				to := resolved[len(dialed)%len(resolved)] // elsewhere each time
				dialed = append(dialed, addr)
				mu.Unlock()
				return w.net.Dial(ctx, network, to)
			}
		})
		w.sync()
		first.Disconnect()
		w.pass(5 * time.Second)
		w.sync()
		mu.Lock()
		defer mu.Unlock()
		if !slices.Equal(dialed, []string{name, name}) || len(second.Clients()) != 1 {
			t.Errorf("dialed %q, want %s twice", dialed, name)
		}
		peers, err := w.syncer.Peers(w.t.Context())
		if err != nil || len(peers) != 1 || peers[0].Addr != name || !peers[0].Connected {
			t.Errorf("peers %+v, %v", peers, err)
		}
	})
}
