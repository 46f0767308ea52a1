package spv_test

import (
	"context"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"dcrspv/spv"
	"dcrspv/spv/internal/addrbook"
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

// What this computer has not enough of is no peer's fault: it is said, nobody is dialed
// again at once, or counts it, and as soon as there is enough it goes on. That is so with
// addresses that were heard of, too: they are not used up.
// Rules 7 and 24.
func TestOwnLimit(t *testing.T) {
	for name, discover := range map[string]bool{"given": false, "found": true} {
		t.Run(name, func(t *testing.T) {
			story(t, 50, func(w *world) {
				book := addrbook.Open(w.dir, nil)
				for range 40 {
					w.heardOf(book, spvtest.NewPeer(w.chain, spvtest.Behaviour{}))
				}
				if err := book.Close(); err != nil {
					t.Fatal(err)
				}
				w.peers, w.addrs = w.peers[:3], w.addrs[:3] // those that are given
				var limited atomic.Bool
				var dials atomic.Int64
				limited.Store(true)
				w.start(func(cfg *spv.Config) {
					if discover {
						cfg.Connect = nil
					}
					cfg.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
						dials.Add(1)
						if limited.Load() {
							return nil, &net.OpError{Op: "dial", Net: network, Err: os.NewSyscallError("socket", syscall.EMFILE)}
						}
						return w.net.Dial(ctx, network, addr)
					}
				})
				w.pass(time.Minute)
				st := w.syncer.Status()
				if st.Synced || !strings.Contains(st.Reason, "too many open files") || !strings.Contains(st.Trouble.Remedy, "ulimit -n") {
					t.Errorf("%+v", st)
				}
				if n := dials.Load(); n < 12 || n > 12*8 {
					t.Errorf("%d dials in a minute", n)
				}
				limited.Store(false)
				w.pass(8 * time.Second)
				if st := w.syncer.Status(); !st.Synced || !st.Trouble.IsZero() {
					t.Errorf("%+v", st)
				}
				peers, err := w.syncer.Peers(w.t.Context())
				for _, p := range peers {
					if err != nil || p.BanScore != 0 || p.Score < 50 || len(p.History) != 0 {
						t.Errorf("%+v, %v", p, err)
					}
				}
			})
		})
	}
}
