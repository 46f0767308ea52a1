package spv_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"dcrspv/spv"

	"github.com/decred/dcrd/chaincfg/v3"
)

// What a Syncer that does not run is good for: it reads chain.db and edits what it says
// of peers.
// Rule 27.
func TestWithoutRun(t *testing.T) {
	cfg := spv.Config{Params: chaincfg.SimNetParams(), DataDir: t.TempDir()}
	open := func() *spv.Syncer {
		s, err := spv.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	s := open()
	const host = "203.0.113.7"
	if err := s.Check(t.Context()); err != nil || s.Status().Tip.Hash != cfg.Params.GenesisHash {
		t.Errorf("%v, %+v", err, s.Status())
	}
	if err := s.BanPeer(t.Context(), host); err != nil {
		t.Fatal(err)
	}
	if err := s.BanPeer(t.Context(), "no host"); !errors.Is(err, spv.ErrAddress) {
		t.Errorf("banned: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	s = open()
	peers, err := s.Peers(t.Context())
	if err != nil || len(peers) != 1 || peers[0].Addr != host || peers[0].BannedUntil.IsZero() {
		t.Fatalf("%v, %+v", err, peers)
	}
	if err := s.UnbanPeer(t.Context(), host); err != nil {
		t.Fatal(err)
	}
	if peers, err := s.Peers(t.Context()); err != nil || len(peers) != 0 {
		t.Errorf("%v, %+v", err, peers)
	}
	report, err := s.Verify(t.Context(), nil)
	if err != nil || report.Headers != 1 || report.Tip.Hash != cfg.Params.GenesisHash {
		t.Errorf("%v, %+v", err, report)
	}
	if height, err := s.HeightBefore(t.Context(), time.Now()); err != nil || height != 0 {
		t.Errorf("height %d, %v", height, err)
	}
	if _, err := s.SubscribePeers(t.Context()); !errors.Is(err, spv.ErrNotRunning) {
		t.Errorf("subscribed: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for what, err := range map[string]error{
		"Check": s.Check(t.Context()), "BanPeer": s.BanPeer(t.Context(), host), "Run": s.Run(t.Context()),
	} {
		if !errors.Is(err, spv.ErrRunning) && !errors.Is(err, spv.ErrNotRunning) {
			t.Errorf("%s after Close: %v", what, err)
		}
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// While it runs, Verify is refused, and what is asked of peers and dates is answered.
// Rule 27.
func TestWhileItRuns(t *testing.T) {
	s, err := spv.New(spv.Config{Params: chaincfg.SimNetParams(), DataDir: t.TempDir(), Connect: []string{"127.0.0.1:1"}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	for st := range s.Watch(ctx) {
		if st.Reason != "not running" {
			break
		}
	}
	if _, err := s.Verify(ctx, nil); !errors.Is(err, spv.ErrRunning) {
		t.Errorf("verified: %v", err)
	}
	if peers, err := s.Peers(ctx); err != nil || len(peers) != 1 || !peers[0].Persistent {
		t.Errorf("%v, %+v", err, peers)
	}
	if _, err := s.HeightBefore(ctx, time.Now()); err != nil {
		t.Error(err)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// Peers and bans can be changed, and dates be asked for, whether it runs or not: also when
// it begins to run while they wait for something else to end.
// Rule 27.
func TestRunBeginsMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := spv.Config{Params: chaincfg.SimNetParams(), DataDir: t.TempDir(), Connect: []string{"127.0.0.1:1"}}
		cfg.Open = func(context.Context, string, *spv.SourceConfig) (spv.Source, error) { return nil, errors.New("nobody") }
		s, err := spv.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		changes := map[string]func() error{
			"SetPeers": func() error { return s.SetPeers(t.Context(), []string{"127.0.0.1:2"}) },
			"BanPeer":  func() error { return s.BanPeer(t.Context(), "203.0.113.7") },
			"HeightBefore": func() error {
				_, err := s.HeightBefore(t.Context(), time.Unix(0, 0))
				return err
			},
		}
		begun := false
		_, err = s.Verify(t.Context(), func(_, _ uint32) {
			if begun {
				return
			}
			begun = true
			for name, change := range changes {
				go func() {
					if err := change(); err != nil {
						t.Errorf("%s: %v", name, err)
					}
				}()
			}
			synctest.Wait()
			go s.Run(t.Context())
			synctest.Wait()
		})
		if err != nil || !begun {
			t.Errorf("verified: %v, %v", begun, err)
		}
		synctest.Wait()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}
