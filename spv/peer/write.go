package peer

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/decred/dcrd/wire"
)

// Send queues a message. It never blocks: when 64 messages wait already, the
// remote does not read and the connection is closed with ErrOverflow. A nil
// error means that the message was queued, not that it has arrived.
func (p *Peer) Send(msg wire.Message) error { return p.enqueue(p.queue, msg) }

// enqueue puts a message into a queue that the writer empties.
func (p *Peer) enqueue(queue chan<- wire.Message, msg wire.Message) error {
	select {
	case <-p.done:
		return p.closedError()
	default:
	}
	select {
	case queue <- msg:
		return nil
	default:
		err := fmt.Errorf("%w: %d messages wait", ErrOverflow, cap(queue))
		p.Close(err)
		return err
	}
}

// ask hands a message of a request to the writer and waits until it is taken.
// Requests are not queued: however many a caller makes, none of them overflows
// the queue that keeps our answers to the remote.
func (p *Peer) ask(ctx context.Context, r *request, msg wire.Message) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case p.asks <- msg:
		r.sent = true
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-p.done:
		return p.closedError()
	}
}

// writeLoop is the only one that writes to the connection.
func (p *Peer) writeLoop() {
	defer close(p.written)
	for {
		var msg wire.Message
		select {
		case msg = <-p.queue:
		case msg = <-p.serving:
		case msg = <-p.asks:
		case <-p.done:
			return
		}
		if err := p.write(msg); err != nil {
			p.Close(err)
			return
		}
	}
}

// write writes one message, for at most 30 seconds.
func (p *Peer) write(msg wire.Message) error {
	err := p.conn.SetWriteDeadline(time.Now().Add(writeLimit))
	if err != nil {
		return fmt.Errorf("%w: %w", ErrClosed, err)
	}
	p.count.sent(msg)
	_, err = wire.WriteMessageN(p.conn, msg, p.pver.Load(), p.cfg.Params.Net)
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Errorf("%w: the remote does not read", ErrTimeout)
	case err != nil:
		return fmt.Errorf("%w: writing %s: %w", ErrClosed, msg.Command(), err)
	}
	return nil
}
