package spv_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"strings"
	"time"

	"dcrspv/spv/spvtest"
)

// plan is everything that a seed decides.
type plan struct {
	seed     uint64
	discover bool // 8 slots and gossip; else all peers are given
	maxPeers int
	peers    []*simPeer
	events   []simEvent // in order of time
	endless  bool       // somebody makes valid blocks without end
	calm     bool       // no event takes anything from an honest peer
}

// simPeer is a peer of a simulation.
type simPeer struct {
	addr      string
	honest    bool
	traits    []trait
	behaviour spvtest.Behaviour
	fork      uint32        // how many blocks of its chain are of a shorter branch of its own
	joins     time.Duration // when it may be dialed first
	stays     bool          // never hears of new blocks
	turned    bool          // changes its behaviour some day
	peer      *spvtest.Peer
}

// simEvent is something that happens at a time after the start.
type simEvent struct {
	at   time.Duration
	name string
	do   func(s *simulation)
}

// newPlan draws a plan for a chain.
func newPlan(seed uint64, c *spvtest.Chain) *plan {
	d := &draw{rand.New(rand.NewPCG(seed, 7)), c}
	p := &plan{seed: seed, discover: d.IntN(3) == 0, maxPeers: 8}
	n := pick(d, 8, 8, 12, 16, 24, 32, 48, 64)
	hostile := pick(d, 1, 2, 3, 3) // traits of a hostile peer, at most
	favour := pick(d, -1, -1, d.IntN(len(traits)))
	for i := range n {
		peer := &simPeer{addr: simulationAddr(i)}
		p.drawHostile(d, peer, hostile, favour)
		p.peers = append(p.peers, peer)
	}
	for range d.between(1, 3) {
		p.makeHonest(d, p.peers[d.IntN(n)])
	}
	if d.IntN(8) == 0 {
		for range d.between(1, 2) {
			if peer := p.peers[d.IntN(n)]; !peer.honest {
				peer.traits, peer.behaviour = []trait{endless}, spvtest.Behaviour{}
				endless.draw(d, &peer.behaviour)
				p.endless = true
			}
		}
	}
	p.drawEvents(d)
	p.gossip(d)
	return p
}

// simulationAddr is the address of the i-th peer. Each is of another network.
func simulationAddr(i int) string { return fmt.Sprintf("%d.%d.0.1:18555", 20+i, i+1) }

func (p *plan) drawHostile(d *draw, peer *simPeer, most, favour int) {
	for i := range d.between(1, most) {
		t := traits[d.IntN(len(traits))]
		if i == 0 && favour >= 0 && d.IntN(3) > 0 {
			t = traits[favour]
		}
		peer.traits = append(peer.traits, t)
		t.draw(d, &peer.behaviour)
	}
	if peer.behaviour.Latency == 0 {
		peer.behaviour.Latency = d.pause(0, 500*time.Millisecond)
	}
	if d.IntN(12) == 0 {
		peer.fork = uint32(d.between(1, 6))
	}
	if d.IntN(10) == 0 {
		peer.joins = d.pause(0, time.Minute)
	}
	peer.stays = d.IntN(10) == 0
}

func (p *plan) makeHonest(d *draw, peer *simPeer) {
	*peer = simPeer{addr: peer.addr, honest: true}
	peer.behaviour.Latency = d.pause(5*time.Millisecond, 300*time.Millisecond)
	if d.IntN(4) == 0 {
		peer.behaviour.Bandwidth = d.between(50_000, 1_000_000)
	}
	if d.IntN(6) == 0 {
		peer.behaviour.PVer = 10
	}
	if d.IntN(10) == 0 {
		peer.joins = d.pause(0, time.Minute)
	}
}

func (p *plan) honest() (all []*simPeer) {
	for _, peer := range p.peers {
		if peer.honest {
			all = append(all, peer)
		}
	}
	return all
}

// drawEvents draws what happens: nothing in a quarter of all runs.
func (p *plan) drawEvents(d *draw) {
	p.calm = true
	within := pick(d, 5*time.Second, 30*time.Second, 2*time.Minute)
	for range d.IntN(4) * d.IntN(5) {
		p.events = append(p.events, p.drawEvent(d, d.pause(0, within)))
	}
	for _, peer := range p.peers {
		if peer.joins > 0 {
			p.events = append(p.events, canBeReached(peer))
		}
	}
	sortEvents(p.events)
}

// canBeReached: from now on a peer accepts connections.
func canBeReached(peer *simPeer) simEvent {
	return simEvent{peer.joins, peer.addr + " can be reached", func(*simulation) {
		b := peer.peer.Behaviour()
		b.RefuseConnections = peer.behaviour.RefuseConnections
		peer.peer.SetBehaviour(b)
	}}
}

func (p *plan) drawEvent(d *draw, at time.Duration) simEvent {
	name := func(format string, args ...any) string { return fmt.Sprintf(format, args...) }
	switch d.IntN(8) {
	case 0, 1:
		n := d.between(1, 3)
		return simEvent{at, name("%d blocks", n), func(s *simulation) { s.mine(0, n) }}
	case 2:
		p.calm = false
		depth, n := d.between(1, 10), d.between(1, 3)
		return simEvent{at, name("reorg %d deep", depth), func(s *simulation) { s.mine(depth, depth+n) }}
	case 3:
		return simEvent{at, "watch", func(s *simulation) { s.watchMore() }}
	case 4:
		p.calm = false
		return simEvent{at, "restart", func(s *simulation) {
			s.stop()
			s.start()
		}}
	case 5:
		peer := p.peers[d.IntN(len(p.peers))]
		if peer.honest {
			p.calm = false
		}
		return simEvent{at, name("%s loses its connections", peer.addr), func(*simulation) { peer.peer.Disconnect() }}
	case 6:
		peer := p.peers[d.IntN(len(p.peers))]
		if peer.honest {
			return simEvent{at, "1 block", func(s *simulation) { s.mine(0, 1) }}
		}
		turned := &simPeer{}
		p.drawHostile(d, turned, 2, -1)
		peer.traits, peer.turned = append(peer.traits, turned.traits...), true
		return simEvent{at, name("%s turns", peer.addr), func(*simulation) { peer.peer.SetBehaviour(turned.behaviour) }}
	}
	n := d.between(8, 20)
	return simEvent{at, name("%d blocks", n), func(s *simulation) { s.mine(0, n) }}
}

// gossip tells every peer of some others. All honest peers are told of by one
// of them at least.
func (p *plan) gossip(d *draw) {
	all := make([]netip.AddrPort, len(p.peers))
	for i, peer := range p.peers {
		all[i] = netip.MustParseAddrPort(peer.addr)
	}
	for _, peer := range p.peers {
		told := append([]netip.AddrPort(nil), all...)
		d.Shuffle(len(told), func(i, k int) { told[i], told[k] = told[k], told[i] })
		peer.behaviour.Addrs = told[:d.between(1, len(told))]
	}
}

// String describes the plan for whoever has to look into a failure.
func (p *plan) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "seed %d, %d peers, discovery %v\n", p.seed, len(p.peers), p.discover)
	for _, peer := range p.peers {
		b.WriteString("  " + peer.String() + "\n")
	}
	for _, e := range p.events {
		fmt.Fprintf(&b, "  at %v: %s\n", e.at.Round(time.Millisecond), e.name)
	}
	return b.String()
}

func (peer *simPeer) String() string {
	kind := "honest"
	if !peer.honest {
		var names []string
		for _, t := range peer.traits {
			names = append(names, t.name)
		}
		kind = strings.Join(names, ", ")
	}
	text := peer.addr + " " + kind + ":"
	for i, v := 0, reflect.ValueOf(peer.behaviour); i < v.NumField(); i++ {
		switch name := v.Type().Field(i).Name; name {
		case "Addrs", "Unsolicited", "Garbage", "Hook": // long, or without a text
		default:
			if !v.Field(i).IsZero() {
				text += fmt.Sprintf(" %s=%v", name, v.Field(i))
			}
		}
	}
	if peer.fork > 0 {
		text += fmt.Sprintf(", own branch of %d", peer.fork)
	}
	if peer.stays {
		text += ", stays"
	}
	if peer.joins > 0 {
		text += fmt.Sprintf(", joins after %v", peer.joins)
	}
	return text
}
