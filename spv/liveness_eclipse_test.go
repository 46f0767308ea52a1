package spv_test

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"dcrspv/spv"
	"dcrspv/spv/registry"
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
