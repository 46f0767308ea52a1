package spv_test

import (
	"testing"
	"time"

	"dcrspv/spv/spvtest"

	"github.com/decred/dcrd/wire"
)

// Peers that are polite and of no use take all slots first, and there are three
// times as many of them: the sync is complete all the same, because they make
// room for others.
// Rule 22.
func TestSimulationEclipse(t *testing.T) {
	useless := map[string]spvtest.Behaviour{
		"no blocks":           {NotFound: true},
		"silent about blocks": {Silent: silentTo(wire.CmdGetData)},
		"no filters":          {Silent: silentTo(wire.CmdGetCFiltersV2, wire.CmdGetCFilterV2)},
		"no headers":          {Silent: silentTo(wire.CmdGetHeaders)},
		"nothing":             {Silent: silentTo(wire.CmdGetHeaders, wire.CmdGetCFiltersV2, wire.CmdGetCFilterV2, wire.CmdGetData)},
		"nothing, quietly": {NoAnnounce: true,
			Silent: silentTo(wire.CmdGetHeaders, wire.CmdGetCFiltersV2, wire.CmdGetCFilterV2, wire.CmdGetData)},
		"narrow": {Bandwidth: 50},
	}
	for name, b := range useless {
		t.Run(name, func(t *testing.T) {
			p := eclipse(24, b)
			took := simulate(t, p)
			t.Logf("in sync after %v", took)
		})
	}
}

// Peers that keep the newest blocks to themselves take all slots: nothing is
// missing that we know of, and still the blocks are found.
// Rule 22.
func TestSimulationEclipseOfNews(t *testing.T) {
	p := eclipse(24, spvtest.Behaviour{})
	for _, peer := range p.peers {
		peer.stays = !peer.honest
	}
	p.events = append(p.events, simEvent{time.Minute, "3 blocks", func(s *simulation) { s.mine(0, 3) }})
	took := simulate(t, p)
	t.Logf("in sync after %v", took)
}

// eclipse is a plan of discovery with one honest peer, which is found last.
func eclipse(useless int, b spvtest.Behaviour) *plan {
	p := &plan{seed: 1, discover: true, maxPeers: 8, calm: true}
	b.Latency = 50 * time.Millisecond
	for i := range useless {
		p.peers = append(p.peers, &simPeer{addr: simulationAddr(i), behaviour: b})
	}
	honest := &simPeer{addr: simulationAddr(useless), honest: true, joins: 5 * time.Second}
	p.events = append(p.events, canBeReached(honest))
	p.peers = append(p.peers, honest)
	for _, peer := range p.peers {
		peer.behaviour.Addrs = everyAddr(p)
	}
	return p
}
