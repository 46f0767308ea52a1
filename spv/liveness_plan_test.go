package spv_test

import (
	"fmt"
	"math/rand/v2"
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
	lives   []siegeLife
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
	fresh bool // with an empty directory and a wallet that knows nothing
	every time.Duration
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
	total := time.Duration(*siegeHours * float64(time.Hour))
	for total > 0 {
		life := siegeLife{
			lasts: min(d.pause(2*time.Minute, 12*time.Minute), total),
			fresh: len(p.lives) == 0 || d.IntN(4) > 0,
			every: d.pause(5*time.Second, 30*time.Second),
		}
		if d.IntN(6) == 0 {
			life.lasts = min(time.Duration(d.between(1, 3))*time.Hour, total)
		}
		p.lives = append(p.lives, life)
		total -= life.lasts
	}
	return p
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
	fmt.Fprintf(&b, "seed %d: %d blocks, %d adversaries, of one mind %v, wallet listens %v; the honest one is %s, latency %v, dial %v\n",
		p.seed, p.height, len(p.peers)-1, p.oneMind, p.listens, p.peers[p.honest].addr, p.latency, p.dial)
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
