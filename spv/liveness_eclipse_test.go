package spv_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"dcrspv/spv"
	"dcrspv/spv/internal/registry"
	"dcrspv/spv/spvtest"
)

const (
	// siegeSlots is how many connections there are with discovery.
	siegeSlots = 8

	// meetWithin is how long it may take to connect to the honest peer when it
	// can be reached.
	meetWithin = 5 * time.Minute

	// groupShare is how many of the slots one network group may have.
	groupShare = 1
)

// The one honest node that was known before is connected to, again and again,
// although the address book fills with adversaries and they take all slots.
// Rule 22.
func TestSiegeOfTheAddressBook(t *testing.T) {
	var all siegeResult
	for _, seed := range adversarySeeds() {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			besiege(t, newEclipsePlan(seed), &all)
		})
	}
	all.report(t)
	if n := len(all.meetings); n > 0 {
		slices.Sort(all.meetings)
		t.Logf("%d connections to the honest peer: after %v at most, %v (median)", n, all.meetings[n-1], quantile(all.meetings, 50))
	}
}

// slowNodes is how many hostile nodes there are that can be connected to. They are
// slow: half of them just fast enough for each limit, half as adversaries choose to be.
var slowNodes = []int{30, 60, 200}

// The one honest node that was known before is connected to within minutes, over
// restarts and whenever it comes back, although 95 of 100 addresses are hostile, peers
// tell of nothing else, and slow ones take all slots.
// Rule 22.
func TestSiegeOfSlowNodes(t *testing.T) {
	var meetings []time.Duration
	for _, seed := range adversarySeeds() {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			d := &draw{rand.New(rand.NewPCG(seed, 41)), nil}
			n, height := slowNodes[seed%3], d.between(500, 2000)
			c := siegeChain().Fork(uint32(height))
			c.Mine(3)
			storyOn(t, c, func(w *world) {
				s := &slowSiege{world: w, d: d}
				s.meetHonest(n, d.IntN(2) == 0)
				for range 5 {
					s.live()
				}
				meetings = append(meetings, s.meetings...)
			})
		})
	}
	if n := len(meetings); n > 0 {
		slices.Sort(meetings)
		t.Logf("%d connections to the honest peer: after %v at most, %v (median)", n, meetings[n-1], quantile(meetings, 50))
	}
}

// slowSiege is a world with discovery in which the first peer is honest, and all others
// are slow.
type slowSiege struct {
	*world
	d        *draw
	meetings []time.Duration
}

// meetHonest makes n hostile nodes, and lets the Syncer run with the honest one alone.
func (s *slowSiege) meetHonest(n int, learns bool) {
	var told []netip.AddrPort
	for i := range n + n/2 { // a third of them is nobody
		addr := fmt.Sprintf("%d.%d.0.1:18555", 22+i%100, i%250)
		if i%3 == 0 { // in a few networks
			addr = fmt.Sprintf("21.%d.%d.1:18555", i%4, i/4)
		}
		told = append(told, netip.MustParseAddrPort(addr))
	}
	honest := s.heardAs("20.1.0.1:18555", spvtest.Behaviour{Latency: 50 * time.Millisecond, Addrs: told})
	s.start()
	s.sync()
	s.pass(time.Minute)
	s.stop()
	memory := spvtest.NewMemory(clientLimits...)
	memory.Crawl()
	for _, addr := range told[:n] {
		b := spvtest.Behaviour{
			Latency:     pick(s.d, clientLimits...) - 5*time.Millisecond,
			DialLatency: s.d.pause(0, 2900*time.Millisecond),
			Bandwidth:   4500,
			Addrs:       told,
		}
		b.Latency = min(b.Latency, 2900*time.Millisecond) // or there is no handshake
		p := s.heardAs(addr.String(), b)
		if learns {
			a := spvtest.NewAdversary(p, rand.New(rand.NewPCG(s.d.Uint64(), 42)), memory)
			a.TellOf(told)
			go a.Run(s.t.Context())
		}
	}
	s.peers[0] = honest
}

// heardAs makes a peer at an address.
func (s *slowSiege) heardAs(addr string, b spvtest.Behaviour) *spvtest.Peer {
	p := spvtest.NewPeer(s.chain, b)
	s.net.Add(addr, p)
	s.peers, s.addrs = append(s.peers, p), append(s.addrs, addr)
	return p
}

// live is a run of the Syncer. The honest node can't be reached at first, and is lost
// later. Blocks are found meanwhile.
func (s *slowSiege) live() {
	honest := s.peers[0]
	s.chain.Mine(pick(s.d, 0, 1, 200, 4000))
	s.net.SetChain(s.chain)
	time.Sleep(max(time.Until(s.chain.Time()), 0))
	honest.Refuse(true)
	s.start(func(cfg *spv.Config) { cfg.Connect = nil })
	for _, away := range []time.Duration{
		pick(s.d, 0, 30*time.Second, 5*time.Minute, 30*time.Minute, time.Hour),
		pick(s.d, time.Second, time.Minute, 20*time.Minute),
	} {
		honest.Refuse(true)
		honest.Disconnect()
		s.pass(away)
		honest.Refuse(false)
		s.meet()
		s.pass(time.Minute)
	}
	s.stop()
}

// meet waits until the honest node is connected.
func (s *slowSiege) meet() {
	for began := time.Now(); ; s.pass(200 * time.Millisecond) {
		took := time.Since(began)
		s.checkGroups()
		if len(s.peers[0].Clients()) > 0 {
			s.meetings = append(s.meetings, took)
			return
		}
		if took > meetWithin {
			s.t.Errorf("%d slow nodes: the honest one is not connected after %v: %+v", len(s.peers)-1, took, s.syncer.Status())
			return
		}
	}
}

// checkGroups looks whether a network has more than its share of the slots.
func (s *slowSiege) checkGroups() {
	taken := make(map[string]int)
	for i, p := range s.peers {
		g := registry.Group(s.addrs[i])
		if taken[g] += len(p.Clients()); taken[g] > groupShare {
			s.t.Fatalf("network %s has %d connections", g, taken[g])
		}
	}
}

// told are the addresses that peers tell of.
func (p *siegePlan) told() []netip.AddrPort {
	if !p.discover {
		return nil
	}
	return p.knownAddrs()
}

// meetHonest is an earlier run of the Syncer, with only the honest peer. Then the
// adversaries begin.
func (s *siege) meetHonest() {
	s.wallet = newTimingWallet()
	for i := range uint32(siegeScripts) {
		s.wallet.watch(0, spvtest.Script(i))
	}
	s.result.filters.exist += int(s.chain.Height())
	s.result.blocks.exist += len(s.chain.Truth(s.wallet.scripts()).History)
	s.open([]string{s.plan.peers[s.plan.honest].addr})
	if err := s.syncer.Wait(s.ctx, spv.Synced); err != nil {
		s.t.Fatal(err)
	}
	time.Sleep(2 * time.Minute)
	s.close()
}

// moveHonest has the honest peer come and go as the plan says.
func (s *siege) moveHonest(life siegeLife) {
	if !s.plan.discover {
		return
	}
	now := time.Since(s.life)
	if now >= life.lost && now < life.lost+restStep {
		s.honest.Disconnect()
	}
	s.honest.Refuse(now < life.away)
}

// checkEclipse looks whether the honest peer is connected soon after it can be
// reached, and whether no network has more than its share of the slots.
func (s *siege) checkEclipse() {
	reachable := !s.honest.Behaviour().RefuseConnections
	switch {
	case !reachable:
		s.missed = time.Time{}
	case !s.connected.IsZero():
		if !s.missed.IsZero() {
			s.result.meetings = append(s.result.meetings, time.Since(s.missed))
		}
		s.missed = time.Time{}
	case s.missed.IsZero():
		s.missed, s.missedLong = time.Now(), false
	case time.Since(s.missed) > meetWithin && !s.missedLong:
		s.missedLong = true
		s.errorf("the honest peer is not connected, %v after it could be", time.Since(s.missed))
	}
	taken := make(map[string]int)
	for _, b := range s.plan.peers {
		n := len(s.net.Peer(b.addr).Clients())
		if g := registry.Group(b.addr); n > 0 && g != "" {
			taken[g] += n
			if taken[g] == groupShare+1 {
				s.errorf("network %s has %d connections", g, taken[g])
			}
		}
	}
}
