package spv

import (
	"time"

	"dcrspv/spv/chain"
	"dcrspv/spv/internal/registry"

	"github.com/decred/dcrd/wire"
)

// A full answer to a getheaders has 360 kB, for which a slow line takes its time.
// Others are asked meanwhile: only they can show whether it is the line that is slow
// or the peer. But as long as the answer comes in, and nobody has shown to be faster,
// its peer's claim counts, or the sync would end in the middle of it.
const (
	// comingRate is how many bytes count as a second.
	comingRate = 4 << 10

	// comingClaim is until when the claim counts at most. On a line of 12 kB a second
	// that is a full answer.
	comingClaim = 30 * time.Second

	// comingFactor is how many times what others take for a full answer it counts.
	comingFactor = 4
)

// isComing reports whether an answer comes in, of which so much has come that it may
// still be waited for.
func (e *engine) isComing(r *headerRequest) bool { return e.now.Before(e.comingUntil(r)) }

// comingUntil is until when an answer may be waited for, by what has come of it.
func (e *engine) comingUntil(r *headerRequest) time.Time {
	most := comingClaim
	if takes := e.requests.OthersTake(r.s.addr, registry.Headers); takes > 0 {
		most = min(most, comingFactor*takes)
	}
	come := time.Duration(r.s.peer.Stats().Incoming) * time.Second / comingRate
	return r.since.Add(min(come, most))
}

// fullAnswer is how many bytes a full answer to a getheaders has.
const fullAnswer = wire.MaxBlockHeadersPerMsg * (chain.HeaderSize + 1)

// keepsPace reports whether an answer comes in that will be there in twice the time
// that others take.
func (e *engine) keepsPace(r *headerRequest) bool { return e.now.Before(e.paceUntil(r)) }

// paceUntil is until when an answer keeps the pace with what has come of it.
func (e *engine) paceUntil(r *headerRequest) time.Time {
	come := time.Duration(r.s.peer.Stats().Incoming)
	takes := e.requests.OthersTake(r.s.addr, registry.Headers)
	return r.since.Add(2 * takes * come / fullAnswer)
}

// keepComing has the claims of peers count whose answers come in. Who has answered
// with nothing new gets no more time by going on.
func (e *engine) keepComing() {
	for _, r := range e.headers.requests {
		if r.first {
			e.registry.Coming(r.s.addr, e.comingUntil(r))
		}
	}
}

// moves reports whether an answer of a peer is coming in, or another has just come.
func (e *engine) moves(s *session) bool { return e.now.Sub(s.peer.Stats().Moved) < movesFor }

// movesFor is how long after a byte of an answer the next one may come: on a slow line
// it has to wait for the answers of all other peers.
const movesFor = 5 * time.Second
