package spv_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"sync"
	"time"

	"dcrspv/spv/spvtest"
)

// clientLimits are the times after which the Syncer or a dcrd does something
// about a peer: an adversary answers just before.
var clientLimits = []time.Duration{
	250 * time.Millisecond, time.Second, 2 * time.Second, 3 * time.Second, 5 * time.Second, 10 * time.Second,
	15 * time.Second, 20 * time.Second, 30 * time.Second, time.Minute,
}

// siegePlan is what a seed decides about a siege.
type siegePlan struct {
	seed    uint64
	height  uint32 // of the chain at the start
	peers   []*besieger
	honest  int // which peer is the honest one
	latency time.Duration
	dial    time.Duration // how long it takes to connect to the honest one
	oneMind bool
	listens bool // the wallet hears of unconfirmed transactions
	boasts  bool // all adversaries claim more than there is, all the time
	lives   []siegeLife

	// With discovery there are 8 slots, the honest peer is known from an earlier
	// run, and all others from what peers tell.
	discover bool
}

// besieger is a peer of a siege.
type besieger struct {
	addr  string
	seed  uint64
	joins time.Duration // when it can be reached first, in each life
	turns time.Duration // until when it is good
}

// siegeLife is a run of the Syncer.
type siegeLife struct {
	lasts time.Duration
	fresh bool          // with an empty directory and a wallet that knows nothing
	every time.Duration // an event, on average

	// With discovery: until when the honest peer can't be reached, and when it
	// loses its connections.
	away, lost time.Duration
}

// arrivals of adversaries.
const (
	arriveFirst = iota // all are there first
	arriveLater        // within the first minutes
	arriveTurn         // they are good for a while
	arriveMixed
)

func newSiegePlan(seed uint64) *siegePlan {
	d := &draw{rand.New(rand.NewPCG(seed, 22)), nil}
	p := &siegePlan{
		seed:    seed,
		height:  uint32(d.between(500, 6000)),
		latency: d.pause(20*time.Millisecond, 200*time.Millisecond),
		dial:    d.pause(0, 2*time.Second),
		oneMind: d.IntN(2) == 0,
		listens: d.IntN(2) == 0,
	}
	n := pick(d, 7, 7, 30, 30, 63)
	p.honest = d.IntN(n + 1)
	p.drawBesiegers(d, n)
	for total := siegeTime(); total > 0; {
		life := p.drawLife(d, total)
		p.lives = append(p.lives, life)
		total -= life.lasts
	}
	p.boasts = n == 7 && d.IntN(2) == 0 // of more nobody could tell whose claim counts
	return p
}

// memory makes a memory of adversaries.
func (p *siegePlan) memory() *spvtest.Memory {
	m := spvtest.NewMemory(clientLimits...)
	if p.boasts {
		m.Boast()
	}
	return m
}

// siegeTime is how long a siege lasts.
func siegeTime() time.Duration { return time.Duration(*siegeHours * float64(time.Hour)) }

// drawBesiegers draws n peers that are not honest, and when they come.
func (p *siegePlan) drawBesiegers(d *draw, n int) {
	arrive := d.IntN(4)
	for i := range n + 1 {
		b := &besieger{addr: simulationAddr(i), seed: d.Uint64()}
		p.peers = append(p.peers, b)
		if i == p.honest {
			continue
		}
		how := arrive
		if how == arriveMixed {
			how = d.IntN(3)
		}
		switch how {
		case arriveLater:
			b.joins = d.pause(0, 5*time.Minute)
		case arriveTurn:
			b.turns = d.pause(0, pick(d, time.Minute, 5*time.Minute, time.Hour))
		}
	}
}

func (p *siegePlan) drawLife(d *draw, most time.Duration) siegeLife {
	life := siegeLife{
		lasts: d.pause(2*time.Minute, 12*time.Minute),
		fresh: len(p.lives) == 0 || d.IntN(4) > 0,
		every: d.pause(5*time.Second, 30*time.Second),
	}
	if d.IntN(6) == 0 {
		life.lasts = time.Duration(d.between(1, 3)) * time.Hour
	}
	life.lasts = min(life.lasts, most)
	return life
}

// newEclipsePlan draws a siege with discovery: of 20 addresses 19 are hostile, a
// third of them in one network, and of the rest one is of the honest peer.
func newEclipsePlan(seed uint64) *siegePlan {
	d := &draw{rand.New(rand.NewPCG(seed, 25)), nil}
	p := &siegePlan{
		seed:     seed,
		height:   uint32(d.between(500, 2000)),
		latency:  d.pause(20*time.Millisecond, 200*time.Millisecond),
		oneMind:  d.IntN(2) == 0,
		discover: true,
	}
	n := 19 * d.between(2, 6)
	p.peers = append(p.peers, &besieger{addr: "20.1.0.1:18555"})
	for i := range n {
		addr := fmt.Sprintf("%d.%d.0.1:18555", 22+i%70, i+1)
		switch d.IntN(3) {
		case 0:
			addr = fmt.Sprintf("21.1.%d.1:18555", i+1)
		case 1:
			if i > 0 { // another port of the same host
				host, _, _ := strings.Cut(p.peers[i].addr, ":")
				addr = fmt.Sprintf("%s:%d", host, 10_000+i)
			}
		}
		p.peers = append(p.peers, &besieger{addr: addr, seed: d.Uint64()})
	}
	for total := siegeTime(); total > 0; {
		life := p.drawLife(d, total)
		life.fresh = false
		life.away = pick(d, 0, d.pause(0, 90*time.Second), d.pause(0, life.lasts/2))
		life.lost = d.pause(0, 2*life.lasts)
		p.lives = append(p.lives, life)
		total -= life.lasts
	}
	return p
}

// knownAddrs are those that adversaries tell of: their own, and some of nobody.
func (p *siegePlan) knownAddrs() (all []netip.AddrPort) {
	for i, b := range p.peers {
		if i != p.honest {
			all = append(all, netip.MustParseAddrPort(b.addr))
		}
	}
	for i := range len(all) / 20 {
		all = append(all, netip.MustParseAddrPort(fmt.Sprintf("19.%d.0.1:18555", i+1)))
	}
	return all
}

// alone is the plan with the honest peer only, until its first sync.
func (p *siegePlan) alone() *siegePlan {
	a := *p
	a.peers = []*besieger{p.peers[p.honest]}
	a.honest = 0
	a.lives = p.lives[:1]
	return &a
}

func (p *siegePlan) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "seed %d: %d blocks, %d adversaries, discovery %v, of one mind %v, boasting %v, wallet listens %v; the honest one is %s, latency %v, dial %v\n",
		p.seed, p.height, len(p.peers)-1, p.discover, p.oneMind, p.boasts, p.listens, p.peers[p.honest].addr, p.latency, p.dial)
	for i, l := range p.lives {
		fmt.Fprintf(&b, "  life %d: %v, fresh %v, an event every %v\n", i, l.lasts, l.fresh, l.every)
	}
	return b.String()
}

// siegeChain is what the chains of all sieges begin with: a payment to the
// wallet's scripts every 50 blocks.
var siegeChain = sync.OnceValue(func() *spvtest.Chain {
	c := spvtest.NewChain(nil)
	for i := range 120 {
		c.Mine(49)
		c.MineBlock(c.Pay(spvtest.Script(uint32(i%siegeScripts)), int64(i+1)*1e6))
	}
	return c
})

// siegeScripts is how many scripts the wallet watches.
const siegeScripts = 3
