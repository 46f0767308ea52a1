package spv_test

import (
	"bytes"
	"context"
	"errors"
	"github.com/decred/dcrd/chaincfg/v3"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"dcrspv/spv"
	"dcrspv/spv/chain"
	"dcrspv/spv/internal/chaindb"
	"dcrspv/spv/spvtest"

	"github.com/decred/slog"
)

// chainFile is where the world's chain.db is.
func (w *world) chainFile() string { return filepath.Join(w.dir, spv.ChainFile) }

// flip changes a bit of chain.db: the first of something that is stored in it.
func (w *world) flip(stored []byte) {
	w.t.Helper()
	content, err := os.ReadFile(w.chainFile())
	if err != nil {
		w.t.Fatal(err)
	}
	at := bytes.Index(content, stored)
	if at < 0 {
		w.t.Fatal("it is not in the file")
	}
	file, err := os.OpenFile(w.chainFile(), os.O_WRONLY, 0)
	if err != nil {
		w.t.Fatal(err)
	}
	_, err = file.WriteAt([]byte{content[at] ^ 1}, int64(at))
	if err := errors.Join(err, file.Close()); err != nil {
		w.t.Fatal(err)
	}
}

// logLines collects what is logged.
type logLines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logLines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

// count counts the lines that contain a text.
func (l *logLines) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), text)
}

func (l *logLines) config(cfg *spv.Config) {
	backend := slog.NewBackend(l)
	cfg.Log = func(subsystem string) slog.Logger { return backend.Logger(subsystem) }
}

// wantAsIf checks that all is as if nothing had happened, and nobody is to blame.
func (w *world) wantAsIf(c *spvtest.Chain, heights ...uint32) {
	w.t.Helper()
	w.sync()
	w.wantMatches(c, heights...)
	w.wantNoViolations()
	if st := w.syncer.Status(); len(st.CutOff) > 0 || !st.Trouble.IsZero() {
		w.t.Errorf("somebody is to blame: %+v, %v", st.CutOff, st.Trouble)
	}
	if len(w.wallet.rewinds) > 0 {
		w.t.Errorf("the wallet was rewound to %v", w.wallet.rewinds)
	}
	for id, n := range w.wallet.given {
		if n != 1 {
			w.t.Errorf("block %v was handed over %d times", id, n)
		}
	}
}

// TestRot: what turns bad in chain.db while it is in use is noticed when it is read,
// dropped, and fetched again.
// Rule 25.
func TestRot(t *testing.T) {
	c := paid(1200)
	filter, header := c.Filter(600), c.Header(600)
	for name, stored := range map[string][]byte{"filters": filter, "headers": header[:]} {
		storyOn(t, c, func(w *world) {
			var log logLines
			w.joinMany(3, spvtest.Behaviour{})
			w.start(log.config)
			w.wait(spv.Settled)
			w.flip(stored)
			w.wallet.watch(0, watched)
			w.wantAsIf(c, 600, 1200)
			if n := log.count(name + " 500 to 749 are damaged"); n != 1 {
				t.Errorf("%s: %d lines:\n%s", name, n, log.text.String())
			}
			again := 0
			for h := range c.Height() {
				for _, p := range w.peers {
					again += p.FilterRequests(h + 1)
				}
			}
			if most := 1200 + 250 + 200; again > most { // and whole requests around it
				t.Errorf("%s: %d filters were asked for, at most %d should be", name, again, most)
			}
		})
	}
}

// TestChangedWhileAway: a file that was changed while nobody had it open is verified
// before anything is taken from it.
// Rules 25 and 27.
func TestChangedWhileAway(t *testing.T) {
	c := paid(1200)
	filter, header := c.Filter(600), c.Header(100)
	for name, stored := range map[string][]byte{"filters": filter, "headers": header[:]} {
		storyOn(t, c, func(w *world) {
			var log logLines
			w.joinMany(3, spvtest.Behaviour{})
			w.start()
			w.wait(spv.Settled)
			w.stop()
			w.flip(stored)
			w.wallet.watch(0, watched)
			w.start(log.config)
			if st := w.syncer.Status(); st.Tip.Height > 0 && st.Phase == spv.Checking && st.Tip.Hash == c.Tip().Hash {
				t.Errorf("the tip is told before anything is verified: %+v", st)
			}
			w.wantAsIf(c, 600, 1200)
			if log.count("Verifying all of chain.db") == 0 || log.count(name) != 1 {
				t.Errorf("%s:\n%s", name, log.text.String())
			}
			w.stop()
			w.start()
			w.wantAsIf(c, 600, 1200)
		})
	}
}

// TestForeignChainFile: a file that somebody has made up costs a verification, and what
// is wrong in it is fetched from peers.
// Rules 25 and 27.
func TestForeignChainFile(t *testing.T) {
	c := paid(1200)
	for name, edit := range map[string]func(headers []chain.Header, filters [][]byte){
		"nothing is wrong": func([]chain.Header, [][]byte) {},
		"filters of nothing": func(_ []chain.Header, filters [][]byte) {
			for i := range filters {
				filters[i] = []byte{}
			}
		},
		"a header of its own": func(headers []chain.Header, _ [][]byte) { headers[600][140]++ },
	} {
		storyOn(t, c, func(w *world) {
			var headers []chain.Header
			var filters [][]byte
			for h := uint32(1); h <= c.Height(); h++ {
				headers, filters = append(headers, c.Header(h)), append(filters, c.Filter(h))
			}
			genesis, _ := c.Rules().Genesis()
			sum := chain.Work(genesis.Bits())
			for _, h := range headers {
				work := chain.Work(h.Bits())
				sum.Add(&work)
			}
			edit(headers, filters)
			db, err := chaindb.Open(w.chainFile(), c.Rules())
			if err != nil {
				t.Fatal(err)
			}
			err = errors.Join(db.ReplaceHeaders(0, headers, sum), db.PutFilters(1, filters),
				db.PutBlob(spv.RegistryBlob, []byte("rubbish")), db.Close(),
				os.Remove(strings.TrimSuffix(w.chainFile(), ".db")+".seal"))
			if err != nil {
				t.Fatal(err)
			}
			w.wallet.watch(0, watched)
			w.joinMany(2, spvtest.Behaviour{Latency: 20 * time.Millisecond})
			var log logLines
			w.start(log.config)
			w.wantAsIf(c, 600, 1200)
			if log.count("Verifying all of chain.db") != 1 || (log.count("damaged") > 0) == (name == "nothing is wrong") {
				t.Errorf("%s:\n%s", name, log.text.String())
			}
		})
	}
}

// TestRotWhereAWalletStands: a wallet that is behind the tip, in a stretch of headers
// that rot has spoiled, is not rewound: that the block can't be read does not mean that
// it has left the chain.
// Rule 25.
func TestRotWhereAWalletStands(t *testing.T) {
	c := paid(1200)
	for range 4 { // whether the rewind happens is up to a select
		storyOn(t, c, func(w *world) {
			w.joinMany(3, spvtest.Behaviour{})
			w.start()
			w.wait(spv.Settled)
			w.stop()

			w.wallet.watch(0, watched)
			w.wallet.blocks = map[uint32]chain.BlockID{100: c.ID(100), 601: c.ID(601)}
			w.wallet.covered = chain.Ranges{{From: 0, To: 601}}
			w.wallet.matched = map[uint32]chain.BlockID{600: c.ID(600)}
			w.wallet.given[c.ID(600)]++

			w.startAndSpoil(c.Header(650))
			w.wantAsIf(c, 600, 1200)
		})
	}
}

// TestPublishOverMending: what rots in chain.db while a transaction is being published
// neither keeps the caller waiting for ever nor takes it off offer.
func TestPublishOverMending(t *testing.T) {
	c := paid(1200)
	storyOn(t, c, func(w *world) {
		w.joinMany(2, spvtest.Behaviour{Silent: map[string]bool{"inv": true}})
		late := w.join(spvtest.Behaviour{RefuseConnections: true})
		w.start()
		w.wait(spv.Settled)
		answered := make(chan error, 1)
		go func() {
			_, err := w.syncer.Publish(context.Background(), c.Pay(spvtest.Script(1), 1e8))
			answered <- err
		}()
		synctest.Wait()
		w.flip(c.Filter(600))
		w.wallet.watch(0, watched)
		w.wait(spv.Settled)
		w.pass(time.Minute)
		select {
		case err := <-answered:
			if err != nil {
				t.Error(err)
			}
		default:
			t.Error("Publish still waits")
		}
		late.SetBehaviour(spvtest.Behaviour{})
		w.pass(10 * time.Minute)
		if n := len(late.Taken()); n != 1 {
			t.Errorf("it stays on offer for an hour, and a peer that came has %d of it", n)
		}
	})
}

// TestSubscriptionOverMending: a subscription ends with Run, not before.
func TestSubscriptionOverMending(t *testing.T) {
	c := paid(1200)
	storyOn(t, c, func(w *world) {
		w.joinMany(2, spvtest.Behaviour{})
		w.start()
		w.wait(spv.Settled)
		sub, err := w.syncer.SubscribePeers(w.t.Context())
		if err != nil {
			t.Fatal(err)
		}
		ended := make(chan struct{})
		go func() {
			for range sub.Changed() {
			}
			close(ended)
		}()
		w.flip(c.Filter(600))
		w.wallet.watch(0, watched)
		w.wait(spv.Settled)
		select {
		case <-ended:
			t.Error("it has ended, and Run has not")
		default:
		}
		w.stop()
	})
}

// TestMendingBehindAPeerThatLags: the only peer is below what chain.db had before some of
// its headers were damaged. That is no reorg, and it does not make what is missing in sync.
// Rules 24 and 25.
func TestMendingBehindAPeerThatLags(t *testing.T) {
	c := paid(1200)
	storyOn(t, c, func(w *world) {
		w.joinMany(2, spvtest.Behaviour{})
		w.wallet.watch(0, watched)
		w.start()
		w.wait(spv.Settled)
		for _, p := range w.peers {
			p.SetBehaviour(spvtest.Behaviour{RefuseConnections: true})
		}
		w.stop()
		w.joinWith(c.Fork(998), spvtest.Behaviour{})
		w.wallet.blocks[900] = c.ID(900) // where its locator is sparse
		w.startAndSpoil(c.Header(1100))
		w.pass(5 * time.Minute)
		if st := w.syncer.Status(); st.Synced {
			t.Errorf("in sync at %d, chain.db had 1200", st.Tip.Height)
		}
		if len(w.wallet.rewinds) > 0 {
			t.Errorf("the wallet was rewound to %v", w.wallet.rewinds)
		}
	})
}

// startAndSpoil runs the Syncer over a file in which the medium has spoiled a header: it was
// sealed, and nobody has written to it.
func (w *world) startAndSpoil(header chain.Header) {
	w.t.Helper()
	s, err := spv.New(spv.Config{
		Params: chaincfg.SimNetParams(), DataDir: w.dir, Wallets: []spv.Wallet{w.wallet}, Connect: w.addrs, Dial: w.net.Dial,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.flip(header[:])
	ctx, cancel := context.WithCancel(w.t.Context())
	w.syncer, w.cancel, w.done = s, cancel, make(chan error, 1)
	go func() { w.done <- s.Run(ctx) }()
}

// Damage that the search for a date finds is dropped and fetched again.
// Rule 25.
func TestDamageFoundByDate(t *testing.T) {
	c := paid(3000)
	storyOn(t, c, func(w *world) {
		w.join(spvtest.Behaviour{})
		w.wallet.watch(0, watched)
		w.start()
		w.wait(spv.Settled)
		header := c.Header(1500)
		w.flip(header[:])
		date := c.Time().Add(-1500 * time.Second)
		if _, err := w.syncer.HeightBefore(w.t.Context(), date.Add(24*time.Hour)); !errors.Is(err, spv.ErrCorrupt) {
			t.Errorf("found with %v", err)
		}
		w.wait(spv.Settled)
		wantReadable(t, w.syncer, c, chain.Range{From: 0, To: 3000})
	})
}

// What several readers find damaged at the same time is dropped once, and Run goes on.
// Rule 25.
func TestDamageFoundByMany(t *testing.T) {
	c := paid(3000)
	storyOn(t, c, func(w *world) {
		w.join(spvtest.Behaviour{})
		w.wallet.watch(0, watched)
		w.start()
		w.wait(spv.Settled)
		w.flip(c.Filter(600))
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				for _, err := range w.syncer.Read(w.t.Context(), chain.Range{From: 0, To: 2000}) {
					if err != nil && !errors.Is(err, spv.ErrCorrupt) {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		w.wait(spv.Settled)
		wantReadable(t, w.syncer, c, chain.Range{From: 0, To: 3000})
	})
}
