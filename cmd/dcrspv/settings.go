package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"dcrspv/spv"

	"github.com/decred/dcrd/chaincfg/v3"
	"github.com/decred/slog"
)

// settings are the global flags, checked.
type settings struct {
	params   *chaincfg.Params
	dir      string // DATADIR/NETWORK
	connect  []string
	maxPeers int
	birthday *heightOrDate // nil if not given
	timeout  time.Duration
	dial     spv.DialFunc // nil is TCP, without a proxy
	levels   levels
}

// networks are the names of --network. The directory has the same name.
var networks = map[string]func() *chaincfg.Params{
	"mainnet": chaincfg.MainNetParams,
	"testnet": chaincfg.TestNet3Params,
	"simnet":  chaincfg.SimNetParams,
	"regnet":  chaincfg.RegNetParams,
}

// networkName is the name in --network, files and JSON; chaincfg calls the
// test network testnet3.
func networkName(params *chaincfg.Params) string {
	for name, fn := range networks {
		if fn().Net == params.Net {
			return name
		}
	}
	return params.Name
}

// maxPeers is the most that --max-peers takes: what one machine can use.
const maxPeers = 125

// settings checks the global flags for a command.
func (p *program) settings(cmd *command) (settings, error) {
	var s settings
	fn, ok := networks[p.opts.Network]
	if !ok {
		return s, usage("take mainnet, testnet, simnet or regnet", "unknown network %q", p.opts.Network)
	}
	s.params = fn()
	dir, err := p.dataDir()
	if err != nil {
		return s, err
	}
	s.dir = filepath.Join(dir, p.opts.Network)

	for _, addr := range p.opts.Connect {
		normal, err := spv.PeerAddr(addr, s.params)
		if err != nil {
			return s, usage("give --connect as HOST or HOST:PORT", "bad peer address %q", addr)
		}
		s.connect = append(s.connect, normal)
	}
	s.maxPeers, err = strconv.Atoi(p.opts.MaxPeers)
	if err != nil || s.maxPeers < 1 || s.maxPeers > maxPeers {
		return s, usage(fmt.Sprintf("give a number from 1 to %d", maxPeers), "bad --max-peers %q", p.opts.MaxPeers)
	}
	if p.opts.Birthday != "" {
		w, err := parseHeightOrDate("--birthday", p.opts.Birthday, p.now())
		if err != nil {
			return s, err
		}
		s.birthday = &w
	}
	if p.opts.Timeout != "" {
		s.timeout, err = time.ParseDuration(p.opts.Timeout)
		if err != nil || s.timeout <= 0 {
			return s, usage("give a duration like 90s or 10m", "bad --timeout %q", p.opts.Timeout)
		}
	}
	if s.dial, err = proxyDial(p.opts.Proxy); err != nil {
		return s, err
	}
	if s.dial == nil {
		s.dial = p.dial
	}
	s.levels, err = parseLevels(p.opts.LogLevel, p.defaultLevel(cmd))
	return s, err
}

// defaultLevel is quiet but for the command that runs for weeks, and there too
// if a person watches.
func (p *program) defaultLevel(cmd *command) slog.Level {
	if cmd.verbose && !p.terminal {
		return slog.LevelInfo
	}
	return slog.LevelWarn
}

// proxyDial returns a dialer through a SOCKS5 proxy, or nil without one.
func proxyDial(addr string) (spv.DialFunc, error) {
	if addr == "" {
		return nil, nil
	}
	dial, err := spv.SOCKS5(addr)
	if err != nil {
		return nil, usage("give --proxy as HOST:PORT, like 127.0.0.1:9050", "bad proxy address %q", addr)
	}
	return dial, nil
}

// makeDir creates the directory of the network.
func (s *settings) makeDir() error {
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return fmt.Errorf("%w: %w", errDataDir, err)
	}
	return nil
}

func (s *settings) walletFile() string { return filepath.Join(s.dir, "wallet.db") }
