package spv

import (
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"dcrspv/spv/internal/registry"

	"github.com/decred/dcrd/chaincfg/v3"
)

// situation is what is known while a sync does not go on. What is wrong follows
// from it.
type situation struct {
	params *chaincfg.Params
	file   string // of the stored chain; "" is in memory

	chosen   []string          // the only peers to use; none if they are found
	bans     map[string]string // which of those are banned, and why
	allBans  string            // if all that are known are banned: which ban ends first
	known    int               // addresses known
	failures []failure         // the last one of each address, the newest last
	seeding  error             // why no seeder gave any address

	// Peers that have been connected for long enough to deliver something.
	connected []string
	fork      *uint32 // where the chains of all of them part from ours, far below its tip
	poor      bool    // all they have is less work than the network is known to have
	waiting   string  // what for

	behind string // how far the blocks are ahead of our clock
}

// failure is why an address could not be connected to, or was disconnected.
type failure struct {
	addr    string
	err     error
	at      time.Time
	dialing bool // no handshake came about
}

// situation is what is known of why nothing moves. It is false while there is
// nothing to tell: in sync, or peers are there and may still deliver.
func (e *engine) situation(phase Phase, reason string) (s situation, ok bool) {
	t := &e.trouble
	if behind := e.clockBehind(); behind != "" && len(e.sessions) > 0 {
		return situation{behind: behind}, true
	}
	if phase == InSync || len(e.sessions) > 0 && (e.now.Sub(t.moved) < muteAfter || e.now.Sub(t.received) < muteAfter) {
		return s, false
	}
	s = situation{params: e.cfg.Params, chosen: e.chosen.addrs}
	if e.cfg.DataDir != "" {
		s.file = filepath.Join(e.cfg.DataDir, ChainFile)
	}
	if len(e.sessions) == 0 {
		s.known, s.seeding, s.failures = e.registry.Len(), t.seeding, t.failures
		if e.network.discover { // many addresses, of which the old ones tell nothing
			s.failures = slices.DeleteFunc(slices.Clone(s.failures), func(f failure) bool { return f.at.Before(t.moved) })
		}
		s.bans = e.chosenBans()
		if addr, ban, ok := e.registry.AllBanned(e.now); ok {
			s.allBans = addr + " " + banText(ban)
		}
		return s, true
	}
	answered := true
	for addr, session := range e.sessions {
		if e.now.Sub(session.since) < muteAfter {
			continue
		}
		s.connected = append(s.connected, addr)
		answered = answered && session.chain.answered
	}
	s.fork = e.contradicted()
	s.poor = answered && !e.chain.Proven() && phase == Headers
	s.waiting = e.awaited(phase, reason)
	return s, len(s.connected) == len(e.sessions) && s.waiting != ""
}

// awaited is what the peers have to deliver; "" if it is our own disk or wallets
// that everything waits for.
func (e *engine) awaited(phase Phase, reason string) string {
	if slices.ContainsFunc(e.blocks.requests, func(u *request) bool { return !u.Done() }) {
		return "blocks for the watched scripts"
	}
	switch {
	case phase == Scanning:
		return ""
	case phase == Filters:
		return reason
	case e.filters.lowest() != nil:
		return "filters"
	}
	return "headers"
}

// chosenBans is which of the peers that were given are banned, and why.
func (e *engine) chosenBans() map[string]string {
	bans := make(map[string]string)
	for _, addr := range e.chosen.addrs {
		if ban, ok := e.registry.BanOf(addr, e.now); ok {
			bans[addr] = banText(ban)
		}
	}
	return bans
}

// banText says how long a ban lasts, and why.
func banText(ban registry.Event) string {
	return fmt.Sprintf("until %s UTC: %s", ban.Until.UTC().Format(time.DateTime), ban.Reason)
}

// contradicted returns the block after which the chains of all connected peers part
// from ours, if they have less work and part so far below our tip that no reorg
// explains it. Nobody is there then who could tell of new blocks of ours.
func (e *engine) contradicted() (fork *uint32) {
	for _, s := range e.sessions {
		if !s.chain.onSideBranch || s.chain.fork+registry.MaxLag >= e.chain.Tip().Height {
			return nil
		}
		if fork == nil || s.chain.fork > *fork {
			fork = &s.chain.fork
		}
	}
	return fork
}
