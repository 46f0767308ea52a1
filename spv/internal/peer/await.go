package peer

import (
	"context"
	"fmt"
	"time"
)

// standstill is how late a timer has to be to show that this process stood still
// (SIGSTOP): then the answer may be here, unread, and gets the whole time again.
const standstill = 2 * time.Second

// deliver gives an answer to a request. It is called by the reader, and waits while
// the request has no room for more answers.
func (p *Peer) deliver(r *request, rep reply) {
	select {
	case r.replies <- rep:
		return
	default:
	}
	p.handlerTime.begin()
	defer p.handlerTime.end()
	select {
	case r.replies <- rep:
	case <-r.gone:
	case <-p.end.done:
	}
}

// answer delivers an answer to its request, or counts it when it was never
// asked for.
func (p *Peer) answer(c class, r *request, late bool, rep reply) {
	switch {
	case r != nil:
		p.deliver(r, rep)
	case !late:
		p.unasked(c)
	}
}

// unasked counts an answer that answers nothing.
func (p *Peer) unasked(c class) {
	p.count.unsolicited.Add(1)
	p.allowance.unfit(c, time.Now())
}

// await returns the next answer to r, or why there is none. The time for it starts
// again when a request before it is answered, and is extended while an answer comes in,
// unless a request behind it was answered already.
func (p *Peer) await(ctx context.Context, r *request) (reply, error) {
	start, held := time.Now(), p.handlerTime.total()
	due := start.Add(r.limit)
	timer := time.NewTimer(r.limit)
	defer timer.Stop()
	for {
		select {
		case rep := <-r.replies:
			return rep, rep.err
		case <-ctx.Done():
			return reply{}, ctx.Err()
		case <-p.end.done:
			select {
			case rep := <-r.replies: // it came before the end
				return rep, rep.err
			default:
				return reply{}, p.end.closedError()
			}
		case <-timer.C:
			if time.Since(due) >= standstill {
				start, held = time.Now(), p.handlerTime.total()
			}
			waited := time.Since(start) - (p.handlerTime.total() - held)
			if r.ping {
				waited = min(waited, time.Since(p.conn.heardAt()))
			}
			left := r.limit - waited
			if before, ok := p.waiting.before(r); ok && !r.ping {
				now := time.Now()
				good := p.incoming.until(p.conn.in.Load(), p.cfg.Line.shared(now), now)
				left = max(left, time.Until(before.Add(r.limit)), time.Until(good))
			}
			if left <= 0 {
				return reply{}, fmt.Errorf("%w: nothing for %v", ErrStalled, r.limit)
			}
			due = time.Now().Add(left)
			timer.Reset(left)
		}
	}
}
