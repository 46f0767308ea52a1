package spv_test

import (
	"context"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"dcrspv/spv"
	"dcrspv/spv/spvtest"

	"github.com/decred/dcrd/chaincfg/v3"
	"github.com/decred/dcrd/wire"
)

// wantTrouble lets time pass, checks that nothing was said a moment before, and
// what is said then.
func (w *world) wantTrouble(after time.Duration, parts ...string) spv.Trouble {
	w.t.Helper()
	if after > 0 {
		w.pass(after - time.Millisecond)
		if got := w.syncer.Status().Trouble; !got.IsZero() {
			w.t.Errorf("before %v: %v", after, got)
		}
	}
	w.pass(min(after, time.Millisecond))
	st := w.syncer.Status()
	for _, part := range parts {
		if !strings.Contains(st.Trouble.String(), part) {
			w.t.Errorf("%q does not say %q", st.Trouble, part)
		}
	}
	if st.Trouble.IsZero() || st.Reason != st.Trouble.Cause || st.Synced {
		w.t.Errorf("%+v", st)
	}
	return st.Trouble
}

// wantSame checks that for ten minutes nothing else is said.
func (w *world) wantSame(said spv.Trouble) {
	w.t.Helper()
	for range 100 {
		w.pass(6 * time.Second)
		if got := w.syncer.Status().Trouble; got != said && !got.IsZero() {
			w.t.Fatalf("%+v after %+v", got, said)
		}
	}
}

// wantLastTrouble checks what the file says when nothing runs.
func (w *world) wantLastTrouble(want spv.Trouble) {
	w.t.Helper()
	w.stop()
	s, err := spv.New(spv.Config{Params: w.chain.Params(), DataDir: w.dir})
	if err != nil {
		w.t.Fatal(err)
	}
	defer s.Close()
	if got := s.Status().Trouble; got.String() != want.String() || !got.Since.Equal(want.Since) {
		w.t.Errorf("stored: %+v, want %+v", got, want)
	}
}

// answering has the Syncer connect to what answers a client's first bytes as given,
// and hangs up.
func answering(answer string) func(*spv.Config) {
	return func(cfg *spv.Config) {
		cfg.Dial = func(context.Context, string, string) (net.Conn, error) {
			near, far := net.Pipe()
			go func() {
				defer far.Close()
				io.ReadFull(far, make([]byte, 10))
				go io.Copy(io.Discard, far)
				io.WriteString(far, answer)
			}()
			return near, nil
		}
	}
}

// A captive portal, or a web server at the wrong port: said at once, once, kept in
// the file until a sync succeeds. The node is there as soon as the portal is not.
// Rule 24.
func TestCaptivePortal(t *testing.T) {
	for name, answer := range map[string]string{
		"HTTP": "HTTP/1.1 302 Found\r\nLocation: http://portal.example/login\r\n\r\n",
		"TLS":  "\x15\x03\x01\x00\x02\x02\x46",
	} {
		t.Run(name, func(t *testing.T) {
			story(t, 300, func(w *world) {
				w.join(spvtest.Behaviour{})
				w.start(answering(answer))
				said := w.wantTrouble(0, w.addrs[0]+", the only peer,", "web server", "log in")
				w.wantSame(said)
				w.wantLastTrouble(said)
				w.start()
				w.sync()
				w.wantLastTrouble(spv.Trouble{})
			})
		})
	}
}

// A node of another network is named, and one of another currency is not Decred's.
// Rule 24.
func TestNodeOfAnotherNetwork(t *testing.T) {
	for magic, want := range map[wire.CurrencyNet]string{
		wire.MainNet:  "a node of mainnet, not of simnet",
		wire.TestNet3: "a node of testnet3, not of simnet",
		0xd9b4bef9:    "not a Decred node",
	} {
		story(t, 50, func(w *world) {
			w.join(spvtest.Behaviour{Magic: magic})
			w.start()
			w.wantSame(w.wantTrouble(0, want))
		})
	}
}

// A node that reads the magic of another network than its own hangs up.
func TestNodeThatHangsUp(t *testing.T) {
	story(t, 50, func(w *world) {
		w.join(spvtest.Behaviour{})
		w.start(answering(""))
		w.wantSame(w.wantTrouble(10*time.Second, "hangs up before it has said anything", "listen on port 18555"))
	})
}

func TestNodeThatIsTooOld(t *testing.T) {
	story(t, 50, func(w *world) {
		w.join(spvtest.Behaviour{PVer: 8})
		w.start()
		w.wantSame(w.wantTrouble(0, "too old", "update"))
	})
}

// The only peer delivers nothing. That it is disconnected for it and comes back is
// no news. Once it delivers, nothing is wrong.
// Rule 24.
func TestOnlyPeerIsMute(t *testing.T) {
	for command, what := range map[string]string{wire.CmdGetHeaders: "headers", wire.CmdGetCFiltersV2: "filters", wire.CmdGetData: "blocks"} {
		t.Run(what, func(t *testing.T) {
			storyOn(t, paid(300), func(w *world) {
				w.wallet.watch(0, watched)
				w.join(silent(command))
				w.start()
				said := w.wantTrouble(15*time.Second, "nothing comes from "+w.addrs[0]+", the only peer,", what, "connect to another node")
				w.wantSame(said)
				w.peers[0].SetBehaviour(spvtest.Behaviour{})
				if st := w.sync(); !st.Trouble.IsZero() || st.Reason != "" {
					t.Errorf("%+v", st)
				}
				w.wantLastTrouble(spv.Trouble{})
			})
		})
	}
}

// A slow peer is none that delivers nothing.
func TestSlowPeerIsNoTrouble(t *testing.T) {
	story(t, 3000, func(w *world) {
		w.join(spvtest.Behaviour{Bandwidth: 32 << 10})
		w.start()
		w.while(func(st spv.Status) bool {
			if !st.Trouble.IsZero() {
				t.Fatalf("%+v", st)
			}
			return !st.Synced
		})
	})
}

// The only peer was banned: said at once, and in the next run too, in which nobody
// is dialed.
// Rules 23 and 24.
func TestOnlyPeerIsBanned(t *testing.T) {
	story(t, 300, func(w *world) {
		w.join(spvtest.Behaviour{BadFilters: spvtest.FiltersFlipped})
		w.start()
		said := w.wantTrouble(0, w.addrs[0]+", the only peer, is banned until 2025-01-02", "lift the ban")
		w.wantLastTrouble(said)
		w.start()
		w.wantTrouble(0, "is banned until 2025-01-02")
	})
}

// A node that was begun anew is below all that is stored, or has less work: our
// chain is of another one. A node of the public networks only has to catch up.
func TestChainBegunAnew(t *testing.T) {
	for name, c := range map[string]struct {
		fork  uint32
		mined int
		after time.Duration
		want  string
	}{
		"far below": {0, 100, 10 * time.Second, "lags behind: at block 100, 200 behind"},
		"as high":   {0, 298, 15 * time.Second, "parts from the stored one after block 0"},
		"half":      {150, 149, 15 * time.Second, "parts from the stored one after block 150"},
	} {
		t.Run(name, func(t *testing.T) {
			story(t, 300, func(w *world) {
				p := w.join(spvtest.Behaviour{})
				w.start()
				w.sync()
				w.stop()
				anew := w.chain.Fork(c.fork)
				anew.Mine(c.mined)
				p.SetChain(anew)
				w.start()
				said := w.wantTrouble(c.after, w.addrs[0]+", the only peer,", c.want, "if simnet was begun anew", "chain.db")
				w.wantSame(said)
				if st := w.syncer.Status(); st.Synced {
					t.Errorf("%+v", st)
				}
			})
		})
	}
}

// A node whose chain has too little work is still syncing.
// Rule 12.
func TestNodeStillSyncing(t *testing.T) {
	story(t, 3000, func(w *world) {
		b := hooked(empty)
		b.AdvertisedHeight = 3000
		w.join(b)
		w.start(knownWork(1000))
		w.wantSame(w.wantTrouble(15*time.Second, "less work than simnet is known to have", "wait until it has synced"))
	})
}

// Nobody can be reached, for different reasons.
// Rule 24.
func TestNobodyCanBeReached(t *testing.T) {
	failing := func(err error) func(*spv.Config) {
		return func(cfg *spv.Config) {
			cfg.Dial = func(context.Context, string, string) (net.Conn, error) { return nil, err }
		}
	}
	searching := func(params *chaincfg.Params) func(*spv.Config) {
		return func(cfg *spv.Config) { cfg.Params, cfg.Connect, cfg.Wallets = params, nil, nil }
	}
	noName := &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: "node.example", IsNotFound: true}}
	for name, c := range map[string]struct {
		after  time.Duration
		change []func(*spv.Config)
		want   []string
	}{
		"refused":      {10 * time.Second, nil, []string{"none of the 2 peers can be used; 10.0.0.1:18555 accepts no connection", "start the node"}},
		"no name":      {10 * time.Second, []func(*spv.Config){failing(noName)}, []string{"can't be resolved", "online"}},
		"no seeders":   {0, []func(*spv.Config){searching(chaincfg.SimNetParams())}, []string{"no peer is known", "connect to a node of simnet"}},
		"seeders lost": {10 * time.Second, []func(*spv.Config){searching(chaincfg.MainNetParams()), failing(noName)}, []string{"the name of the seeder can't be resolved", "online"}},
	} {
		t.Run(name, func(t *testing.T) {
			story(t, 50, func(w *world) {
				w.joinMany(2, spvtest.Behaviour{RefuseConnections: true})
				w.start(c.change...)
				w.wantSame(w.wantTrouble(c.after, c.want...))
			})
		})
	}
}

// A peer that goes and comes back within seconds is nothing to speak of.
func TestShortLossIsNoTrouble(t *testing.T) {
	story(t, 300, func(w *world) {
		w.join(spvtest.Behaviour{})
		w.start()
		w.sync()
		w.pass(time.Hour)
		for range 100 {
			w.pass(2 * time.Minute) // who has stood for so long is dialed again soon
			w.peers[0].Disconnect()
			for range 8 {
				w.pass(time.Second)
				if st := w.syncer.Status(); !st.Trouble.IsZero() {
					t.Fatalf("%+v", st)
				}
			}
		}
	})
}
