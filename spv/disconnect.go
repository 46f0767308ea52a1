package spv

import "slices"

// disconnect ends a connection for a reason that its owner would want to know.
func (e *engine) disconnect(s *session, reason error) {
	if !e.sessions.has(s) {
		return
	}
	e.noteDisconnect(s.addr, reason)
	e.drop(s, reason)
}

func (e *engine) noteDisconnect(addr string, reason error) {
	e.cuts.add(Cut{Addr: addr, Reason: reason.Error(), Time: e.now})
}

// cuts are the peers that were banned or disconnected, the newest last. A status has them
// too, so that none of them ever changes.
type cuts []Cut

// maxCuts bounds the list of Status.CutOff.
const maxCuts = 64

func (c *cuts) add(cut Cut) {
	kept := (*c)[max(len(*c)+1-maxCuts, 0):]
	*c = append(slices.Clip(kept), cut)
}

// drop forgets a connection and gives its work back. It may be called again
// for the same session.
func (e *engine) drop(s *session, reason error) {
	if !e.sessions.has(s) {
		return
	}
	s.peer.Close(reason)
	delete(e.sessions, s.addr)
	e.network.closed(s.peer.Stats())
	e.registry.Disconnected(s.addr, reason, e.now)
	e.trouble.failed(failure{addr: s.addr, err: reason, at: e.now})
	e.logs.peer.Infof("%s disconnected: %v", s.addr, reason)
	e.requests.Leave(s.addr)
	e.headers.requests.end(s)
	e.forgetHeard(s)
	e.relay.forsaken(s, e.now)
	if len(e.sessions) == 0 {
		// The whole initial sync starts over in this same Syncer: whoever
		// comes next may be far ahead.
		e.following.end()
	}
}
