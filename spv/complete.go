package spv

// headersComplete reports whether every peer that claims more than we have was
// asked for it and has had its time to answer. What they claim does not count.
func (e *engine) headersComplete() bool {
	tip := e.chain.Tip().Height
	if !e.reached() || !e.chain.Proven() || e.network.gathering(e) || !e.heard(tip) {
		return false
	}
	waitedFor := func(s *session) bool { return s.since.Before(e.joinUntil()) }
	for _, r := range e.headers.requests.atTip() {
		walking := r.s.chain.walking && r.from.Height < tip
		if (!r.late || e.isComing(r)) && waitedFor(r.s) && !walking {
			return false
		}
	}
	for _, addr := range e.registry.Ahead(tip, e.now) {
		if s := e.sessions[addr]; s != nil && !s.headers.asked && !s.following.on && waitedFor(s) {
			return false
		}
	}
	return true
}

// headersDone reports whether no credible peer is ahead of us, nor proven work that only
// our clock speaks against. It is false until there has been a fair chance to hear from
// everybody.
func (e *engine) headersDone() bool {
	tip := e.chain.Tip().Height
	return e.headersComplete() && e.registry.Target(e.now) <= tip && !e.headers.awaited.above(tip, e.now) && e.clockBehind() == ""
}

// caughtUp reports the end of the initial sync: everybody was asked, and all that
// came is on disk and tested. Nobody's claims can put it off, nor a wallet that hangs.
func (e *engine) caughtUp() bool {
	if !e.headersComplete() || !e.filtersDone() {
		return false
	}
	for _, w := range e.wallets {
		if !w.hangs(e.now) && !e.tested(w) {
			return false
		}
	}
	return true
}
