package spv

import (
	"fmt"
	"time"
)

// snapshot computes the status from the state. What is synced is in phase: a peer is
// there, nobody credible is ahead, what we know is on disk, and nothing is left to
// test.
func (e *engine) snapshot() Status {
	tip := e.chain.Tip()
	header, _ := e.chain.Header(tip.Height)
	filters := Span{}
	if through, ok := e.filters.through(); ok {
		filters = spanOf(e.filters.from, through, true)
	}
	v := view{tip: tip.Height, target: e.target(), filters: filters.Through}
	v.owed = e.owedAll(v.target)
	phase, reason, done := e.phase(v)
	reason += e.slowness(phase)
	sum := e.stats()
	trouble := e.findTrouble(phase, reason, sum.BytesIn)
	if !trouble.IsZero() {
		reason = trouble.Cause
	}
	e.progress.enter(phase, done, e.now)
	rate, left := e.progress.rate(done, v.target, e.now)
	synced := phase == InSync
	return Status{
		Network:   e.cfg.Params.Name,
		Phase:     phase,
		Synced:    synced,
		Settled:   synced && e.following.on && e.settled(),
		Tip:       BlockInfo{Height: tip.Height, Hash: tip.Hash, Time: header.Time()},
		Target:    v.target,
		Filters:   filters,
		Scanned:   e.scannedAll(),
		Unscanned: v.owed,
		Peers:     len(e.sessions),
		Requests: Requests{
			Headers: int(sum.GetHeaders),
			Filters: int(sum.GetCFsV2 + sum.GetCFilterV2),
			Blocks:  int(sum.Blocks),
		},
		Seconds:       e.progress.seconds(e.now),
		Rate:          rate,
		ETA:           left,
		Reason:        reason,
		Trouble:       trouble,
		OldTip:        e.findOldTip(phase, header.Time()),
		CutOff:        e.cuts,
		FailedWallets: e.attached.failed,

		ReceivedBytes: sum.BytesIn,
	}
}

// view is how far the sync is, as a status has it.
type view struct{ tip, target, filters, owed uint32 }

// target is the highest block that a credible peer claims or that is waited for. Losing
// the peers is no progress.
func (e *engine) target() uint32 {
	target := max(e.chain.Tip().Height, e.registry.Target(e.now))
	if len(e.sessions) == 0 {
		target = max(target, e.progress.target)
	}
	if e.headers.awaited.above(target, e.now) {
		target = e.headers.awaited.height
	}
	e.progress.aim(target)
	return target
}

// stats sums what was exchanged with all peers.
func (e *engine) stats() SourceStats {
	sum := e.network.gone
	for _, s := range e.sessions {
		sum = sum.plus(s.peer.Stats())
	}
	return sum
}

// phase is the first stage that is not finished, why, and how far it is.
func (e *engine) phase(v view) (Phase, string, uint32) {
	switch {
	case len(e.sessions) == 0:
		return Connecting, e.noPeersReason(), v.tip
	case !e.headersDone() || e.contradicted() != nil:
		return Headers, e.headersReason(v), v.tip
	case !e.filtersDone():
		return Filters, e.filtersReason(v.filters, v.target), v.filters
	case !e.scanDone():
		return Scanning, e.scanReason(v), v.target - min(v.target, v.owed)
	}
	return InSync, "", v.tip
}

func (e *engine) scanReason(v view) string {
	for i, w := range e.wallets {
		if w.hangs(e.now) {
			return fmt.Sprintf("wallet %d of %d has not answered for %v", i+1, len(e.wallets), e.now.Sub(w.called).Round(time.Second))
		}
	}
	return fmt.Sprintf("testing blocks for the watched scripts, %d left", v.owed)
}

func (e *engine) headersReason(v view) string {
	switch behind := e.clockBehind(); {
	case behind != "":
		return behind
	case v.target > v.tip:
		return fmt.Sprintf("fetching headers, %d of %d", v.tip, v.target)
	case e.contradicted() != nil:
		return "the peers are on another chain"
	case !e.chain.Proven():
		return "the peers' chain has less work than the network's is known to have"
	case e.answering() > 0:
		return fmt.Sprintf("fetching headers above block %d", v.tip)
	}
	return "waiting for the other peers to answer"
}

// answering is how many peers have answers come in.
func (e *engine) answering() (n int) {
	for _, s := range e.sessions {
		if e.moves(s) {
			n++
		}
	}
	return n
}

// slowRate is how many bytes a second are little enough to tell of.
const slowRate = 50_000

// slowness tells how slowly answers come in while some do.
func (e *engine) slowness(phase Phase) string {
	rate := e.requests.Rate()
	if phase != Headers && phase != Filters && phase != Scanning || rate <= 0 || rate >= slowRate {
		return ""
	}
	n := e.answering()
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("; %.1f kB a second come in, from %d peers", rate/1000, n)
}

// noPeersReason says why there is no peer.
func (e *engine) noPeersReason() string {
	if addr, ban, ok := e.registry.AllBanned(e.now); ok {
		return fmt.Sprintf("no peers: all are banned, %s %s", addr, banText(ban))
	}
	if n := len(e.cuts); n > 0 {
		return fmt.Sprintf("no peers; the last was cut off: %s: %s", e.cuts[n-1].Addr, e.cuts[n-1].Reason)
	}
	if err := e.registry.LastError(); err != nil {
		return fmt.Sprintf("no peers: %v", err)
	}
	if e.network.discover && e.registry.Len() == 0 {
		return "no peers are known: the seeders have not answered"
	}
	return "connecting to peers"
}

// storedStatus is the status of what is on disk, before Run. Of a file that is not
// trusted it is nothing.
func (s *Syncer) storedStatus() (Status, error) {
	if !s.db.Trusted() {
		return Status{Network: s.cfg.Params.Name, Phase: Checking, Reason: "not running"}, nil
	}
	tip, _ := s.db.Tip()
	header, err := s.db.Header(tip.Height)
	if err != nil {
		return Status{}, err
	}
	trouble, err := lastTrouble(s.db)
	if err != nil {
		return Status{}, err
	}
	var filters Span
	if held := s.db.Filters(); len(held) > 0 {
		last := held[len(held)-1]
		filters = spanOf(last.From, last.To, true)
	}
	owed := uint32(0)
	var tested commonSpan
	for _, w := range s.wallets.list {
		if _, watching := w.Birthday(); watching {
			tested.add(spanOf(w.Scanned(tip.Height)))
		}
		owed = max(owed, w.Unscanned(tip.Height))
	}
	return Status{
		Network:   s.cfg.Params.Name,
		Phase:     Connecting,
		Trouble:   trouble,
		Tip:       BlockInfo{Height: tip.Height, Hash: tip.Hash, Time: header.Time()},
		Target:    tip.Height,
		Filters:   filters,
		Scanned:   tested.Span,
		Unscanned: owed,
		Reason:    "not running",
	}, nil
}
