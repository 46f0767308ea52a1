package spv_test

import (
	"bytes"
	"context"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"dcrspv/spv"
	"dcrspv/spv/chain"
	"dcrspv/spv/spvtest"

	"github.com/decred/dcrd/chaincfg/v3"
	"github.com/decred/dcrd/wire"
	"github.com/decred/slog"
)

// settings says for every field of spv.Config how it shows in what a Syncer does.
// Each is tried in a story of two peers with 300 blocks.
var settings = map[string]struct {
	set   func(*spv.Config, *settingsSeen)
	check func(*world, *settingsSeen) bool
}{
	"Params": {
		func(cfg *spv.Config, _ *settingsSeen) {
			cfg.Params = chaincfg.SimNetParams()
			cfg.Params.Name = "mynet"
		},
		func(w *world, _ *settingsSeen) bool { return w.syncer.Status().Network == "mynet" },
	},
	"Rules": {
		func(cfg *spv.Config, _ *settingsSeen) {
			params := chaincfg.SimNetParams()
			params.Name = "mine"
			cfg.Rules = chain.NewRules(params)
		},
		func(w *world, _ *settingsSeen) bool { return w.syncer.Status().Network == "mine" },
	},
	"DataDir": {
		func(cfg *spv.Config, seen *settingsSeen) {
			cfg.DataDir = filepath.Join(cfg.DataDir, "elsewhere")
			seen.dir = cfg.DataDir
		},
		func(_ *world, seen *settingsSeen) bool {
			_, err := os.Stat(filepath.Join(seen.dir, spv.ChainFile))
			return err == nil
		},
	},
	"Wallets": {
		func(cfg *spv.Config, _ *settingsSeen) { cfg.Wallets = nil },
		func(w *world, _ *settingsSeen) bool { return len(w.wallet.blocks) == 0 },
	},
	"Connect": {
		func(cfg *spv.Config, _ *settingsSeen) { cfg.Connect = cfg.Connect[:1] },
		func(w *world, _ *settingsSeen) bool { return w.peers[1].Connections() == 0 },
	},
	"MaxPeers": {
		nil, nil, // see TestMaxPeers
	},
	"Birthday": {
		func(cfg *spv.Config, _ *settingsSeen) { cfg.Wallets, cfg.Birthday = nil, new(uint32(200)) },
		func(w *world, _ *settingsSeen) bool { return w.syncer.Status().Filters.From == 200 },
	},
	"MaxProtocol": {
		func(cfg *spv.Config, _ *settingsSeen) { cfg.MaxProtocol = 10 },
		func(w *world, _ *settingsSeen) bool {
			return w.total(wire.CmdGetCFiltersV2) == 0 && w.total(wire.CmdGetCFilterV2) == 51
		},
	},
	"NoRelay": {
		func(cfg *spv.Config, _ *settingsSeen) { cfg.NoRelay = true },
		func(_ *world, seen *settingsSeen) bool { return len(seen.unmined.seen) == 0 },
	},
	"Dial": {
		func(cfg *spv.Config, seen *settingsSeen) {
			cfg.Dial = func(context.Context, string, string) (net.Conn, error) {
				seen.opened.Store(true)
				return nil, spv.ErrClosed
			}
		},
		func(_ *world, seen *settingsSeen) bool { return seen.opened.Load() },
	},
	"Open": {
		func(cfg *spv.Config, seen *settingsSeen) {
			cfg.Open = func(context.Context, string, *spv.SourceConfig) (spv.Source, error) {
				seen.opened.Store(true)
				return nil, spv.ErrClosed
			}
		},
		func(_ *world, seen *settingsSeen) bool { return seen.opened.Load() },
	},
	"Log": {
		func(cfg *spv.Config, seen *settingsSeen) {
			cfg.Log = func(subsystem string) slog.Logger {
				seen.mu.Lock()
				defer seen.mu.Unlock()
				seen.subsystems = append(seen.subsystems, subsystem)
				return slog.Disabled
			}
		},
		func(_ *world, seen *settingsSeen) bool { return len(seen.subsystems) >= 4 },
	},
	"UserAgentName": {
		func(cfg *spv.Config, _ *settingsSeen) { cfg.UserAgentName = "grandmother" },
		func(_ *world, seen *settingsSeen) bool {
			return bytes.Contains(seen.sent.Bytes(), []byte("/grandmother:"))
		},
	},
	"UserAgentVersion": {
		func(cfg *spv.Config, _ *settingsSeen) { cfg.UserAgentVersion = "77.8.9" },
		func(_ *world, seen *settingsSeen) bool { return bytes.Contains(seen.sent.Bytes(), []byte(":77.8.9/")) },
	},
}

// settingsSeen is what a story has seen of the Syncer's doings.
type settingsSeen struct {
	mu         sync.Mutex
	sent       bytes.Buffer // to peers
	dir        string
	opened     atomic.Bool
	subsystems []string
	unmined    *unminedWallet
}

// dialer records what is sent.
func (seen *settingsSeen) dialer(dial spv.DialFunc) spv.DialFunc {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := dial(ctx, network, addr)
		return &recorded{conn, seen}, err
	}
}

type recorded struct {
	net.Conn
	seen *settingsSeen
}

func (r *recorded) Write(b []byte) (int, error) {
	r.seen.mu.Lock()
	r.seen.sent.Write(b)
	r.seen.mu.Unlock()
	return r.Conn.Write(b)
}

// Every field of Config changes what the Syncer does: none is forgotten on the way
// to where it counts.
func TestEverySettingCounts(t *testing.T) {
	c := spvtest.NewChain(nil)
	c.Mine(300)
	for _, field := range reflect.VisibleFields(reflect.TypeFor[spv.Config]()) {
		setting, ok := settings[field.Name]
		if !ok {
			t.Errorf("nothing is known about %s", field.Name)
		}
		if setting.set == nil {
			continue
		}
		run := func(set func(*spv.Config, *settingsSeen)) (as bool) {
			storyOn(t, c, func(w *world) {
				var seen settingsSeen
				w.wallet.watch(250, watched)
				w.joinMany(2, spvtest.Behaviour{})
				w.start(func(cfg *spv.Config) {
					seen.unmined = &unminedWallet{memoryWallet: w.wallet}
					cfg.Wallets = []spv.Wallet{seen.unmined}
					cfg.Dial = seen.dialer(cfg.Dial)
					set(cfg, &seen)
				})
				w.pass(time.Minute)
				w.peers[0].AnnounceTx(w.chain.Pay(watched, 1e8))
				w.pass(time.Minute)
				as = setting.check(w, &seen)
			})
			return as
		}
		if !run(setting.set) {
			t.Errorf("%s makes no difference", field.Name)
		}
		if run(func(*spv.Config, *settingsSeen) {}) {
			t.Errorf("%s: the check does not tell the difference", field.Name)
		}
	}
}

// Of many peers that are known, MaxPeers are connected, with at times one more
// that is being tried out; when one goes another takes its place.
// Rule 20.
func TestMaxPeers(t *testing.T) {
	story(t, 300, func(w *world) {
		w.joinMany(6, spvtest.Behaviour{})
		w.start()
		w.wait(spv.Settled)
		w.stop()
		w.pass(time.Hour)
		w.start(func(cfg *spv.Config) { cfg.Connect, cfg.MaxPeers = nil, 2 })
		for range 10 {
			most := 0
			for range 90 {
				w.pass(time.Second)
				most = max(most, w.syncer.Status().Peers)
			}
			if most < 2 || most > 3 {
				t.Errorf("%d peers, want 2, or 3 for a while", most)
			}
			for _, p := range w.peers {
				if len(p.Clients()) > 0 {
					p.Disconnect()
					break
				}
			}
		}
	})
}
