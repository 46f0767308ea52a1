package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"dcrspv/spv"

	"github.com/decred/dcrd/chaincfg/v3"
)

// program is one run of the program.
type program struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	keyboard       bool // stdin is a terminal
	screen         bool // stderr is

	opts    options
	args    []string // of the command
	secrets secrets
}

// options are the global ones.
type options struct {
	network, datadir, proxy string
	connect                 list
	timeout                 time.Duration
	birthday                string
	account                 string
	count                   int
}

// list is an option that may be given several times.
type list []string

// String is part of flag.Value, and so is Set.
func (l *list) String() string { return strings.Join(*l, " ") }

func (l *list) Set(s string) error {
	*l = append(*l, s)
	return nil
}

// flags are the options, with their texts.
func (p *program) flags() *flag.FlagSet {
	f := flag.NewFlagSet("dcrspv-wallet", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	o := &p.opts
	f.StringVar(&o.network, "network", "mainnet", "the network `NAME`: mainnet, testnet or simnet")
	f.StringVar(&o.datadir, "datadir", "", "keep the files in `DIR`, not where programs keep their settings")
	f.Var(&o.connect, "connect", "use the node `HOST:PORT` and no other one; may be repeated")
	f.StringVar(&o.proxy, "proxy", "", "connect through the SOCKS5 proxy `HOST:PORT`")
	f.DurationVar(&o.timeout, "timeout", 0, "give up a sync after `DURATION`, such as 10m")
	f.StringVar(&o.birthday, "birthday", "", "`HEIGHT|DATE`, for restore and watch: nothing was received before")
	f.StringVar(&o.account, "account", "default", "the account `NAME`, for address, send and ticket")
	f.IntVar(&o.count, "count", 1, "buy `N` tickets")
	return f
}

// run is the whole program. It returns the exit status.
func (p *program) run(ctx context.Context, args []string) int {
	err := p.do(ctx, args)
	if err == nil {
		return 0
	}
	line, status := explain(ended(ctx, err))
	fmt.Fprintln(p.stderr, "dcrspv-wallet:", line)
	return status
}

func (p *program) do(ctx context.Context, args []string) error {
	f := p.flags()
	var words []string
	for len(args) > 0 { // options may stand before, between and after the words
		if err := f.Parse(args); err != nil {
			if errors.Is(err, flag.ErrHelp) {
				return p.help(f, words)
			}
			return usage("%v", err)
		}
		if args = f.Args(); len(args) > 0 {
			words, args = append(words, args[0]), args[1:]
		}
	}
	if len(words) == 0 || words[0] == "help" {
		return p.help(f, words[min(1, len(words)):])
	}
	for _, c := range commands() {
		if c.name != words[0] {
			continue
		}
		if p.args = words[1:]; len(p.args) != c.args {
			return usage("use it as: dcrspv-wallet %s %s", c.name, c.usage)
		}
		if err := p.resolve(); err != nil {
			return err
		}
		p.secrets = newSecrets(ctx, p.stdin, p.stderr, p.keyboard)
		return c.run(p, ctx)
	}
	return usage("there is no command %q; dcrspv-wallet --help lists them", words[0])
}

// resolve completes the options.
func (p *program) resolve() error {
	if p.opts.datadir == "" {
		dir, err := os.UserConfigDir()
		if err != nil {
			return usage("give --datadir: %v", err)
		}
		p.opts.datadir = filepath.Join(dir, "dcrspv-wallet")
	}
	if p.params() == nil {
		return usage("--network is mainnet, testnet or simnet")
	}
	return os.MkdirAll(p.dir(), 0o700)
}

// dir is the directory of the network.
func (p *program) dir() string { return filepath.Join(p.opts.datadir, p.opts.network) }

// params are those of the network, nil if there is none of that name.
func (p *program) params() *chaincfg.Params {
	switch p.opts.network {
	case "mainnet":
		return chaincfg.MainNetParams()
	case "testnet":
		return chaincfg.TestNet3Params()
	case "simnet":
		return chaincfg.SimNetParams()
	}
	return nil
}

// newSyncer opens the chain file. It is in use by one process at a time, and so are the
// files beside it.
func (p *program) newSyncer() (*spv.Syncer, error) {
	cfg := spv.Config{Params: p.params(), DataDir: p.dir(), Connect: p.opts.connect, UserAgentName: "dcrspv-wallet"}
	if p.opts.proxy != "" {
		dial, err := spv.SOCKS5(p.opts.proxy)
		if err != nil {
			return nil, usage("give --proxy as HOST:PORT: %v", err)
		}
		cfg.Dial = dial
	}
	return spv.New(cfg)
}
