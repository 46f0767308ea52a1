package spv

import (
	"errors"
	"fmt"

	"dcrspv/spv/chain"
	"dcrspv/spv/peer"
	"dcrspv/spv/registry"
)

// Reasons for which a peer is cut off.
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

	// errReplaced: a peer that serves better has taken its place.
	errReplaced = errors.New("replaced by a better peer")

	// errBadBlock: a block is not the one of its header.
	errBadBlock = errors.New("block does not match its header")
)

// blame decides what an error says about the peer that caused it. This is the
// one place where errors become consequences: proved bad is a ban, unhelpful
// costs score and a cooldown, and a different view of the chain costs nothing.
func (e *engine) blame(s *session, kind registry.Kind, err error) {
	switch {
	case errors.Is(err, chain.ErrSource):
		e.fail(err) // our disk

	case isLocal(err), errors.Is(err, peer.ErrClosed), errors.Is(err, peer.ErrAfterSendHeaders):
		// Ours, or the disconnect is an event of its own.

	case errors.Is(err, errBadFilter), errors.Is(err, errFilterSet):
		e.strike(s, registry.BadFilter, err)
	case errors.Is(err, errBadBlock):
		e.strike(s, registry.BadBlock, err)

	case errors.Is(err, chain.ErrFuture):
		// Perhaps our clock is wrong: ask again later.
		e.registry.Failure(s.addr, kind, e.now)
		e.registry.ClaimFailed(s.addr, e.now)
	case errors.Is(err, chain.ErrOrphan):
		e.strike(s, registry.OrphanHeader, err)
		e.registry.ClaimFailed(s.addr, e.now)
	case errors.Is(err, chain.ErrLowWork):
		// It proves nothing: a true chain has little work too at its start.
		e.registry.Failure(s.addr, kind, e.now)
		e.cut(s, err)
	case errors.As(err, new(chain.ErrorKind)):
		e.strike(s, registry.BadHeaders, err)

	case errors.Is(err, peer.ErrNotFound):
		e.registry.Incomplete(s.addr, kind, e.now)
	case errors.Is(err, peer.ErrStalled):
		e.registry.Failure(s.addr, kind, e.now)
		e.cut(s, fmt.Errorf("%w: does not answer: %w", registry.ErrUseless, err))
	case errors.Is(err, peer.ErrProtocol):
		e.strike(s, registry.Protocol, err)
		e.cut(s, err)
	default:
		e.registry.Failure(s.addr, kind, e.now)
	}
}

// strike counts a fault; enough of them are a ban.
func (e *engine) strike(s *session, reason registry.Reason, err error) {
	e.logs.registry.Debugf("%s: %v", s.addr, err)
	if e.registry.Strike(s.addr, reason, e.now) {
		e.logs.registry.Infof("%s is banned: %v", s.addr, err)
		e.cut(s, fmt.Errorf("banned: %w", err))
	}
}

// strikeAddr is strike for a peer that may be gone.
func (e *engine) strikeAddr(addr string, reason registry.Reason, err error) {
	if s := e.sessions[addr]; s != nil {
		e.strike(s, reason, err)
	} else if e.registry.Strike(addr, reason, e.now) {
		e.logs.registry.Infof("%s is banned: %v", addr, err)
		e.noteCut(addr, fmt.Errorf("banned: %w", err))
	}
}

// cut disconnects a peer for a reason that its owner would want to know.
func (e *engine) cut(s *session, reason error) {
	if e.sessions[s.addr] != s {
		return
	}
	e.noteCut(s.addr, reason)
	e.drop(s, reason)
}

// maxCuts bounds the list of Status.CutOff.
const maxCuts = 64

func (e *engine) noteCut(addr string, reason error) {
	if len(e.cuts) == maxCuts {
		e.cuts = e.cuts[1:]
	}
	e.cuts = append(e.cuts[:len(e.cuts):len(e.cuts)], Cut{Addr: addr, Reason: reason.Error(), Time: e.now})
}
