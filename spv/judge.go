package spv

import (
	"context"
	"errors"
	"fmt"

	"dcrspv/spv/chain"
	"dcrspv/spv/internal/peer"
	"dcrspv/spv/internal/registry"
)

// Reasons for which a peer is disconnected.
var (
	// ErrLagging: the peer's chain ends more than 6 blocks below ours.
	ErrLagging = errors.New("lags behind")

	// errBadFilter: a filter is not the one that its header commits to.
	errBadFilter = errors.New("filter does not match its header")

	// errFilterSet: filters from before DCP0005 are not those of the set with
	// the known hash.
	errFilterSet = errors.New("filters are not those of the known set")

	// errBanned: banned by hand.
	errBanned = errors.New("banned by the operator")

	// errNotChosen: other peers are to be used, by SetPeers.
	errNotChosen = errors.New("other peers were chosen")

	// errReplaced: a peer that serves better has taken its place.
	errReplaced = errors.New("replaced by a better peer")

	// errBadBlock: a block is not the one of its header.
	errBadBlock = errors.New("block does not match its header")
)

// This is the one place where errors become consequences. There are three:
//
//   - proved bad: banned, by the machine, over restarts;
//   - unhelpful: costs score, and a pause that ends with the next success, or when
//     what was asked for leaves the best chain;
//   - a different view of the chain: costs nothing, the peer is asked again.
//
// Who is paused is asked all the same when nobody else is left, and dialed. Each pause,
// ban and disconnect is an event in the registry's history of the address.
//
// What is our own doing (a request called off, our disk) is held against nobody.

// conduct is what a peer did in this connection that was not held against it yet.
type conduct struct {
	silences int // requests that it may have had a reason not to answer
}

// isLocal reports whether an error is our own doing: a request that we called
// off, or the end of everything. It is never blamed on a peer.
func isLocal(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// judge decides what an error says about the peer that caused it; height is the last
// block that was asked for, 0 for headers.
func (e *engine) judge(s *session, kind registry.Kind, height uint32, err error) {
	err = e.excused(s, err)
	switch {
	case errors.Is(err, chain.ErrSource):
		e.fail(err) // our disk

	case errors.Is(err, registry.ErrAway):
		e.drop(s, err)
	case isLocal(err), errors.Is(err, peer.ErrClosed), errors.Is(err, peer.ErrAfterSendHeaders), errors.Is(err, peer.ErrBusy):
		// Ours, or the disconnect is an event of its own.

	case errors.Is(err, errBadFilter), errors.Is(err, errFilterSet):
		e.strike(s, registry.BadFilter, err)
	case errors.Is(err, errBadBlock):
		e.strike(s, registry.BadBlock, err)

	case errors.Is(err, chain.ErrFuture):
		// Perhaps it is our clock that is wrong: see clock.
		e.registry.ClaimFailed(s.addr, e.now)
	case errors.Is(err, chain.ErrOrphan):
		e.strike(s, registry.OrphanHeader, err)
		e.registry.ClaimFailed(s.addr, e.now)
	case errors.Is(err, chain.ErrLowWork):
		// It proves nothing: a true chain has little work too at its start. But
		// its turn is over: others that claim as much come first now.
		e.registry.Failure(s.addr, kind, height, err, e.now)
		e.registry.ClaimFailed(s.addr, e.now)
		e.disconnect(s, err)
	case errors.As(err, new(chain.ErrorKind)):
		e.strike(s, registry.BadHeaders, err)

	case errors.Is(err, peer.ErrStalled):
		e.registry.Failure(s.addr, kind, height, err, e.now)
		if kind == registry.Headers {
			e.registry.ClaimFailed(s.addr, e.now)
		}
		e.disconnect(s, fmt.Errorf("%w: does not answer: %w", registry.ErrUnhelpful, err))
	case errors.Is(err, peer.ErrProtocol):
		e.strike(s, registry.Protocol, err)
		e.disconnect(s, err)
	default:
		e.registry.Failure(s.addr, kind, height, err, e.now)
	}
}

// judgeSilence is judge for filters and blocks. dcrd says nothing when filters are not
// of its best chain (server.go OnGetCFsV2), and has not seen the blocks of every
// branch, so silence about the ones and notfound about the others may be a
// different view: it is a fault only of a peer that has shown to have the blocks,
// or that does so again.
func (e *engine) judgeSilence(s *session, kind registry.Kind, height uint32, err error) {
	silent := kind == registry.Filters && errors.Is(err, peer.ErrStalled)
	if !silent && !errors.Is(err, peer.ErrNotFound) {
		e.judge(s, kind, height, err)
		return
	}
	proved := e.registry.Proved(s.addr) >= height && !s.chain.partsBelow(height)
	if !proved {
		s.conduct.silences++
	}
	switch {
	case proved || s.conduct.silences > 1 && !s.chain.partsBelow(height):
		e.judge(s, kind, height, err)
	case silent:
		e.recheckAll()
	case s.following.on: // what the others have is not in question, it has said so
		e.recheck(s)
	}
}

// disconnected: a connection is over.
type disconnected struct {
	s   *session
	err error
}

func (ev disconnected) apply(e *engine) {
	s := ev.s
	if e.ctx.Err() != nil || !e.sessions.has(s) {
		return // when we are shutting down, that takes care of it
	}
	reason := e.judgeEnd(s, ev.err)
	if e.sessions.has(s) {
		e.keepClaim(s)
		e.drop(s, reason)
	}
}

// judgeEnd looks at why a connection has ended, and returns what to say of it. Who
// floods us with what others may have sent it has broken no rule, but is unhelpful.
func (e *engine) judgeEnd(s *session, err error) error {
	switch {
	case errors.Is(err, peer.ErrProtocol):
		e.strike(s, registry.Protocol, err)
	case errors.Is(err, peer.ErrFlood):
		err = fmt.Errorf("%w: %w", registry.ErrUnhelpful, err)
	default:
		return e.excused(s, err)
	}
	if e.sessions.has(s) {
		e.noteDisconnect(s.addr, err)
	}
	return err
}

// judgeWrongCopy is for a peer whose whole copy of the filters is not the known set.
// That makes it no liar yet, but unhelpful; if we chose it ourselves it makes room
// for another one, so that peers that agree with each other can't keep us.
func (e *engine) judgeWrongCopy(addr string) {
	e.logs.filters.Warnf("Neither is the copy that %s has", addr)
	if s := e.sessions[addr]; s != nil && e.network.discover {
		e.registry.Incomplete(addr, registry.Filters, errFilterSet, e.now)
		e.disconnect(s, errFilterSet)
	}
}

// strike counts a fault; enough of them are a ban.
func (e *engine) strike(s *session, reason registry.Reason, err error) {
	e.logs.registry.Debugf("%s: %v", s.addr, err)
	if e.registry.Strike(s.addr, reason, err, e.now) {
		e.logs.registry.Infof("%s is banned: %v", s.addr, err)
		e.disconnect(s, fmt.Errorf("banned: %w", err))
	}
}

// strikeAddr is strike for a peer that may be gone.
func (e *engine) strikeAddr(addr string, reason registry.Reason, err error) {
	if s := e.sessions[addr]; s != nil {
		e.strike(s, reason, err)
	} else if e.registry.Strike(addr, reason, err, e.now) {
		e.logs.registry.Infof("%s is banned: %v", addr, err)
		e.noteDisconnect(addr, fmt.Errorf("banned: %w", err))
	}
}
