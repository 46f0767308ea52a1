package spv

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"dcrspv/spv/chain"
	"dcrspv/spv/internal/registry"
	"dcrspv/spv/internal/requests"

	"github.com/decred/dcrd/chaincfg/v3"
	"github.com/decred/dcrd/math/uint256"
	"github.com/decred/slog"
)

// stillEngine is an engine at a height that does nothing by itself, with a session for
// each height that a peer states, connected a minute ago.
func stillEngine(t *testing.T, tip uint32, stated ...uint32) (e *engine, all []*session) {
	t.Helper()
	now := time.Unix(1_700_000_000, 0)
	rules := chain.NewRules(chaincfg.SimNetParams())
	_, last := rules.Genesis()
	if tip > 0 {
		last = chain.BlockID{Height: tip}
	}
	e = &engine{
		cfg:      new(Config),
		loop:     &loop{now: now},
		network:  new(network),
		rules:    rules,
		chain:    chain.New(rules, noHeaders{}, last, uint256.Uint256{}),
		registry: registry.New(registry.Options{}, rand.New(rand.NewPCG(1, 2))),
		requests: requests.NewTable[*request](),
		sessions: make(sessions),
		logs:     newLogs(func(string) slog.Logger { return slog.Disabled }),
	}
	for i, height := range stated {
		addr := fmt.Sprintf("%d.0.2.1:9108", 192+i)
		if err := e.registry.Add(addr, false, now); err != nil {
			t.Fatal(err)
		}
		if err := e.registry.Dialing(addr, now); err != nil {
			t.Fatal(err)
		}
		if err := e.registry.Connected(addr, registry.Info{PVer: 11, Height: height}, now); err != nil {
			t.Fatal(err)
		}
		e.requests.Join(addr, 0)
		e.sessions[addr] = &session{addr: addr, since: now.Add(-time.Minute)}
		all = append(all, e.sessions[addr])
	}
	return e, all
}

// stillSource has nothing, and can be closed.
type stillSource struct{ Source }

func (stillSource) Stats() (none SourceStats) { return none }
func (stillSource) Close(error)               {}

// noHeaders is a stored chain that can't be read.
type noHeaders struct{ chain.Source }

func (noHeaders) Header(uint32) (h chain.Header, err error) { return h, chain.ErrSource }
