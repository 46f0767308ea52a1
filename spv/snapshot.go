package spv

import (
	"fmt"

	"dcrspv/spv/internal/chaindb"
)

// caughtUp reports the end of the initial sync: everybody was asked, and all that
// came is on disk and tested. Nobody's claims can put it off.
func (e *engine) caughtUp() bool {
	return e.headersComplete() && e.filtersDone() && e.scanDone()
}

// snapshot computes the status from the state. What is synced is in phase: a peer is
// there, nobody credible is ahead, what we know is on disk, and nothing is left to
// test.
func (e *engine) snapshot() Status {
	tip := e.chain.Tip()
	header, _ := e.chain.Header(tip.Height)
	st := Status{
		Network: e.cfg.Params.Name,
		Tip:     BlockInfo{Height: tip.Height, Hash: tip.Hash, Time: header.Time()},
		Target:  max(tip.Height, e.registry.Target(e.now)),
		Scanned: e.scannedAll(),
		Peers:   len(e.sessions),
		CutOff:  e.cuts,
	}
	if len(e.sessions) == 0 {
		st.Target = max(st.Target, e.target) // losing the peers is no progress
	}
	if e.now.Before(e.headers.pendingUntil) {
		st.Target = max(st.Target, e.headers.pending)
	}
	e.target = st.Target
	st.Owed = e.owedAll(st.Target)
	if through, ok := e.filters.through(); ok {
		st.Filters = Span{From: e.filters.from, Through: through, Any: true}
	}
	sum := e.stats()
	st.ReceivedBytes = sum.BytesIn
	st.Requests = Requests{
		Headers: int(sum.GetHeaders),
		Filters: int(sum.GetCFsV2 + sum.GetCFilterV2),
		Blocks:  int(sum.Blocks),
	}

	done := uint32(0)
	st.Phase, st.Reason, done = e.phase(&st)
	st.Reason += e.slowness(st.Phase)
	st.Synced = st.Phase == InSync
	st.Settled = st.Synced && e.following && e.settled()
	e.findTrouble(&st)
	e.findOldTip(&st)
	e.progress.enter(st.Phase, done, e.now)
	st.Rate, st.ETA = e.progress.rate(done, st.Target, e.now)
	e.progress.left = st.ETA
	st.Seconds = e.progress.seconds(e.now)
	return st
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
func (e *engine) phase(st *Status) (Phase, string, uint32) {
	switch {
	case len(e.sessions) == 0:
		return Connecting, e.lonely(), st.Tip.Height
	case !e.headersDone() || e.contradicted() != nil:
		return Headers, e.headersReason(st), st.Tip.Height
	case !e.filtersDone():
		return Filters, e.filtersReason(st.Filters.Through, st.Target), st.Filters.Through
	case !e.scanDone():
		return Scanning, fmt.Sprintf("testing blocks for the watched scripts, %d left", st.Owed), st.Target - min(st.Target, st.Owed)
	}
	return InSync, "", st.Tip.Height
}

func (e *engine) headersReason(st *Status) string {
	switch behind := e.clockBehind(); {
	case behind != "":
		return behind
	case st.Target > st.Tip.Height:
		return fmt.Sprintf("fetching headers, %d of %d", st.Tip.Height, st.Target)
	case e.contradicted() != nil:
		return "the peers are on another chain"
	case !e.chain.Proven():
		return "the peers' chain has less work than the network's is known to have"
	}
	if e.answering() > 0 {
		return fmt.Sprintf("fetching headers above block %d", st.Tip.Height)
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

// lonely says why there is no peer.
func (e *engine) lonely() string {
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
func storedStatus(cfg Config, db *chaindb.DB) (Status, error) {
	if !db.Trusted() {
		return Status{Network: cfg.Params.Name, Phase: Checking, Reason: "not running"}, nil
	}
	tip, _ := db.Tip()
	header, err := db.Header(tip.Height)
	if err != nil {
		return Status{}, err
	}
	trouble, err := lastTrouble(db)
	if err != nil {
		return Status{}, err
	}
	st := Status{
		Network: cfg.Params.Name,
		Phase:   Connecting,
		Trouble: trouble,
		Tip:     BlockInfo{Height: tip.Height, Hash: tip.Hash, Time: header.Time()},
		Target:  tip.Height,
		Reason:  "not running",
	}
	if held := db.Filters(); len(held) > 0 {
		last := held[len(held)-1]
		st.Filters = Span{From: last.From, Through: last.To, Any: true}
	}
	for i, w := range cfg.Wallets {
		var span Span
		span.From, span.Through, span.Any = w.Scanned(tip.Height)
		if i == 0 || !span.Any {
			st.Scanned = span
		}
		st.Owed = max(st.Owed, w.Owed(tip.Height))
	}
	return st, nil
}
