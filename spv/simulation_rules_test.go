package spv_test

import (
	"context"
	"fmt"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing/synctest"
	"time"

	"dcrspv/spv"
	"dcrspv/spv/spvtest"

	"github.com/decred/dcrd/wire"
)

type wireTx = wire.MsgTx

func outPoints(c spvtest.Coin) []wire.OutPoint { return []wire.OutPoint{c.OutPoint} }

func txOut(amount int64, script []byte) *wire.TxOut { return wire.NewTxOut(amount, script) }

func sortEvents(events []simEvent) {
	slices.SortStableFunc(events, func(a, b simEvent) int { return int(a.at - b.at) })
}

func everyAddr(p *plan) (all []netip.AddrPort) {
	for _, peer := range p.peers {
		all = append(all, netip.MustParseAddrPort(peer.addr))
	}
	return all
}

// watcher sees the changes of status.
type watcher struct {
	mu     sync.Mutex
	synced bool // ever
	count  int
}

func watchStatus(ctx context.Context, syncer *spv.Syncer) *watcher {
	w := new(watcher)
	go func() {
		for st := range syncer.Watch(ctx) {
			w.see(st)
		}
	}()
	return w
}

func (w *watcher) see(st spv.Status) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.synced = w.synced || st.Synced
	w.count++
}

func (w *watcher) seen() (synced bool, count int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.synced, w.count
}

// goroutines that a connection may cost: ours are the reader, the writer, the
// pings and four workers; those of the remote end are three.
const (
	goroutinesPerPeer = 14
	goroutinesFixed   = 40
)

// settleIn is how long after a new block an honest peer has told us of it: its
// own delay of a second, its latency, and the requests that follow.
const settleIn = 5 * time.Second

// check looks whether the rules hold now.
func (s *simulation) check() {
	st := s.syncer.Status()
	s.watcher.see(st)
	synced, _ := s.watcher.seen()
	if (s.log.sawSync() || synced) && s.first.IsZero() {
		s.first = time.Now()
	}
	if n := runtime.NumGoroutine() - s.base; n > goroutinesPerPeer*(len(s.plan.peers)+1)+goroutinesFixed {
		s.failf("%d goroutines", n)
	}
	if n := s.net.Count(wire.CmdSendHeaders) - s.greetings; n > 0 && s.first.IsZero() {
		s.failf("%d sendheaders before the first sync", n)
	}
	for _, cut := range st.CutOff {
		if s.isHonest(cut.Addr) && !s.excusable(cut) {
			s.failf("the honest peer %s was cut off: %s", cut.Addr, cut.Reason)
		}
	}
	if !st.Synced {
		s.synced = time.Now()
	}
	// Before the first time announcements are ignored, so Synced by itself may
	// be true for the round trip in which everybody is asked.
	if st.Tip.Hash != s.chain.Tip().Hash && time.Since(s.changed) > settleIn && (st.Settled || time.Since(s.synced) > settleIn) {
		for _, peer := range s.plan.honest() {
			if s.connectedFor(peer) > settleIn {
				s.failf("in sync at %d %v, but the honest peer %s is at %d", st.Tip.Height, st.Tip.Hash, peer.addr, s.chain.Height())
			}
		}
	}
}

// excusable: an honest peer may be cut off for being behind when somebody else
// has told of a burst of blocks first, or when there was one about when it was
// connected: what it announces during the handshake is lost. And where somebody
// makes valid blocks without end, that is the best chain until it is seen
// through; an honest peer is behind it then, and silent about its filters. None
// of these is ever a ban.
func (s *simulation) excusable(cut spv.Cut) bool {
	behind := strings.Contains(cut.Reason, "behind")
	silent := strings.Contains(cut.Reason, "does not answer")
	initial := s.first.IsZero() || cut.Time.Before(s.first)
	burst := cut.Time.Sub(s.changed) < settleIn || initial && s.started.Sub(s.changed) < settleIn
	return behind && burst || s.plan.endless && (behind || silent)
}

func (s *simulation) isHonest(addr string) bool {
	return slices.ContainsFunc(s.plan.peers, func(p *simPeer) bool { return p.honest && p.addr == addr })
}

// connectedFor is how long the present connection to a peer has been standing.
func (s *simulation) connectedFor(peer *simPeer) time.Duration {
	clients := peer.peer.Clients()
	if len(clients) == 0 {
		return 0
	}
	id := clients[len(clients)-1].ID()
	for _, r := range peer.peer.Log() {
		if r.Client == id && r.Command == wire.CmdVerAck {
			return time.Since(r.Time)
		}
	}
	return 0
}

// rest lets a while pass in which nothing happens, and checks that little is
// done: no wait spins, nobody is asked again and again.
func (s *simulation) rest() {
	s.advance(time.Now().Add(20 * time.Second))
	_, before := s.watcher.seen()
	asked := make([]int, len(s.plan.peers))
	for i, peer := range s.plan.peers {
		asked[i] = len(peer.peer.Log())
	}
	const while = 30 * time.Second
	s.advance(time.Now().Add(while))
	_, after := s.watcher.seen()
	steps := after - before - int(while/simulationStep) // those that check has made
	if limit := 30 + 30*len(s.plan.peers); steps > limit {
		s.failf("%d changes of status in %v of rest", steps, while)
	}
	for i, peer := range s.plan.peers {
		if n := len(peer.peer.Log()) - asked[i]; n > 180 && !s.plan.discover {
			s.failf("%s got %d messages in %v of rest", peer.addr, n, while)
		}
	}
}

// checkEnd looks whether everything is as it must be in the end.
func (s *simulation) checkEnd() {
	synctest.Wait()
	for began := time.Now(); !s.complete(); s.step() {
		// Who has just come may claim more, and has ten seconds to answer; who
		// makes valid blocks without end may be believed once more.
		if lost := time.Since(began); lost > 5*time.Minute || lost > 20*time.Second && !s.plan.endless {
			s.failf("no longer in sync")
		}
	}
	st := s.syncer.Status()
	truth := s.chain.Truth(s.wallet.scripts())
	if wrong := s.wallet.wrong(truth); wrong != "" {
		s.failf("the wallet is wrong: %s", wrong)
	}
	known := make(map[string]spv.Peer)
	peers, err := s.syncer.Peers(s.t.Context())
	if err != nil {
		s.failf("Peers: %v", err)
	}
	for _, p := range peers {
		known[p.Addr] = p
	}
	for _, peer := range s.plan.peers {
		s.checkPeer(peer, known[peer.addr], st)
	}
	for _, v := range s.net.Violations() {
		s.failf("a dcrd would have dropped us: %+v", v)
	}
	if s.plan.calm && !s.plan.endless { // a branch that comes and goes has its filters fetched again
		s.checkOnce()
	}
}

func (s *simulation) checkPeer(peer *simPeer, p spv.Peer, st spv.Status) {
	banned := !p.BannedUntil.IsZero()
	if peer.honest && (banned || p.BanScore > 0) {
		s.failf("the honest peer %s has %d points: %v", peer.addr, p.BanScore, p.BanReasons)
	}
	if p.Connected && banned {
		s.failf("%s is banned and connected", peer.addr)
	}
	if !banned && s.plan.calm && !s.plan.endless && peer.mustBeProved() {
		s.failf("%s has lied and is not banned: %+v", peer.addr, p)
	}
	clients := peer.peer.Clients()
	if len(clients) == 0 || s.connectedFor(peer) < settleIn+peer.behaviour.Latency {
		return
	}
	if h := peer.peer.Height(); p.Connected && h+6 < st.Tip.Height && !peer.boasts() {
		s.failf("%s is connected, at block %d", peer.addr, h)
	}
	if len(clients) > 1 {
		s.failf("%s is connected %d times", peer.addr, len(clients))
	}
	if n := greetings(peer.peer, clients[0].ID()); n != 1 && p.Connected {
		s.failf("%s got %d sendheaders in this connection", peer.addr, n)
	}
}

func greetings(p *spvtest.Peer, client int) (n int) {
	for _, r := range p.Log() {
		if r.Client == client && r.Command == wire.CmdSendHeaders {
			n++
		}
	}
	return n
}

// mustBeProved: it has only one thing wrong with it, which proves a liar, and
// was asked for what it lies about. A few answers may have come too late to be
// looked at, because somebody else was sooner.
func (peer *simPeer) mustBeProved() bool {
	if peer.honest || peer.turned || len(peer.traits) != 1 || peer.behaviour.Latency > time.Second {
		return false
	}
	switch peer.traits[0].proved {
	case byFilters:
		return peer.peer.Count(wire.CmdGetCFiltersV2)+peer.peer.Count(wire.CmdGetCFilterV2) > 3
	case byBlocks:
		return peer.peer.Count(wire.CmdGetData) > 3
	}
	return false
}

// boasts: it has said that it is higher than it is, or claims nothing at all.
func (peer *simPeer) boasts() bool {
	return peer.behaviour.AdvertisedHeight != 0 || peer.turned ||
		slices.ContainsFunc(peer.traits, func(t trait) bool { return t.talks || strings.Contains(t.name, "slow") || t.name == "narrow" })
}

// checkOnce: honest peers were asked for the filter of a block once. None of
// them fails; but what everything waits for may be asked of a second one before
// the first is late.
func (s *simulation) checkOnce() {
	for h := uint32(1); h <= s.chain.Height(); h++ {
		n := 0
		for _, peer := range s.plan.honest() {
			n += peer.peer.FilterRequests(h)
		}
		if n > 2 {
			s.failf("filter %d was requested %d times of honest peers", h, n)
			return
		}
	}
}

// peerList describes what the Syncer knows of the peers.
func (s *simulation) peerList() string {
	if s.syncer == nil {
		return ""
	}
	var b strings.Builder
	peers, _ := s.syncer.Peers(s.t.Context())
	for _, p := range peers {
		fmt.Fprintf(&b, "  %s: connected %v, heights %d %d, score %.0f, %d points, banned until %v %q\n", p.Addr, p.Connected,
			p.AdvertisedHeight, p.ValidatedHeight, p.Score, p.BanScore, p.BannedUntil.Format(time.TimeOnly), p.BanReasons)
	}
	return b.String()
}
