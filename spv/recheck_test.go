package spv

import (
	"math/rand/v2"
	"testing"
	"time"

	"dcrspv/spv/chain"
	"dcrspv/spv/internal/requests"
	"dcrspv/spv/registry"

	"github.com/decred/dcrd/chaincfg/v3"
	"github.com/decred/dcrd/math/uint256"
)

// Rule 22: who is to be asked once more does not wait behind those that claim more,
// however many they are, nor the other way round.
func TestRechecksAndClaimsTakeTurns(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	rules := chain.NewRules(chaincfg.SimNetParams())
	_, genesis := rules.Genesis()
	e := &engine{
		now:      now,
		chain:    chain.New(rules, nil, genesis, uint256.Uint256{}),
		registry: registry.New(registry.Options{}, rand.New(rand.NewPCG(1, 2))),
		requests: requests.NewTable[*unit](),
		sessions: make(map[string]*session),
	}
	for addr, height := range map[string]uint32{"192.0.2.1:9108": 1000, "198.51.100.1:9108": 1000, "203.0.113.1:9108": 0} {
		if err := e.registry.Add(addr, false, now); err != nil {
			t.Fatal(err)
		}
		if err := e.registry.Dialing(addr, now); err != nil {
			t.Fatal(err)
		}
		if err := e.registry.Connected(addr, registry.Info{PVer: 11, Height: height}, now); err != nil {
			t.Fatal(err)
		}
		e.sessions[addr] = &session{addr: addr, headers: headerAsk{recheck: height == 0}}
	}
	claims, rechecks := 0, 0
	for range 10 {
		if s := e.headerPeer(); s.headers.recheck {
			rechecks++
		} else {
			claims++
		}
	}
	if claims != 5 || rechecks != 5 {
		t.Errorf("%d of those that claim more, %d of those to be asked once more; want 5 each", claims, rechecks)
	}
}
