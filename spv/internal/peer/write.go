package peer

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/wire"
)

const (
	// maxQueued is how many messages may wait to be written: all transactions
	// that can be announced at once and asked for, and a few others.
	maxQueued = maxAnnounce + 64

	// maxQueuedBytes is the size of all of them: 80 of the largest transactions
	// that nodes relay (dcrd's mempool, MaxStandardTxSize). The message that is
	// being written counts too.
	maxQueuedBytes = 8 << 20

	writeLimit = 30 * time.Second // for the remote to take one message
)

// send queues a message. It never blocks: when 1064 messages or 8 MiB wait
// already, the remote does not read and the connection is closed with
// ErrOverflow. A nil error means that the message was queued, not that it has
// arrived.
func (p *Peer) send(msg wire.Message) error {
	select {
	case <-p.end.done:
		return p.end.closedError()
	default:
	}
	size := queuedSize(msg)
	if n := p.queued.Add(size); n > maxQueuedBytes {
		return p.overflow("%d bytes wait", n)
	}
	select {
	case p.queue <- msg:
		return nil
	default:
		return p.overflow("%d messages wait", cap(p.queue))
	}
}

// overflow closes the connection to a remote that does not read.
func (p *Peer) overflow(format string, args ...any) error {
	err := fmt.Errorf("%w: %s", ErrOverflow, fmt.Sprintf(format, args...))
	p.Close(err)
	return err
}

// queuedSize is the size of a message in the queue: its length on the wire, or
// a little more.
func queuedSize(msg wire.Message) int64 {
	size := 100 // of the header, and of a short message
	switch msg := msg.(type) {
	case measured:
		size += int(msg.size)
	case *wire.MsgTx:
		size += msg.SerializeSize()
	case *wire.MsgInv:
		size += invSize * len(msg.InvList)
	case *wire.MsgGetData:
		size += invSize * len(msg.InvList)
	case *wire.MsgNotFound:
		size += invSize * len(msg.InvList)
	case *wire.MsgGetHeaders:
		size += chainhash.HashSize * len(msg.BlockLocatorHashes)
	}
	return int64(size)
}

// question is a message of a request, on its way to the writer.
type question struct {
	request *request
	msg     wire.Message
}

// ask hands a message of a request to the writer and waits until it is taken.
// Requests are not queued: however many a caller makes, they never overflow the queue,
// which is for our answers to the remote.
func (p *Peer) ask(ctx context.Context, r *request, msg wire.Message) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case p.asks <- question{r, msg}:
		r.markSent()
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-p.end.done:
		return p.end.closedError()
	}
}

// writeLoop is the only one that writes to the connection.
func (p *Peer) writeLoop() {
	defer close(p.written)
	for {
		var msg wire.Message
		var queued int64
		select {
		case msg = <-p.queue:
			queued = queuedSize(msg)
		case q := <-p.asks:
			p.waiting.noteOrder(q.request)
			msg = q.msg
		case <-p.end.done:
			return
		}
		if err := p.write(msg); err != nil {
			p.Close(err)
			return
		}
		p.queued.Add(-queued)
	}
}

// write writes one message, for at most 30 seconds.
func (p *Peer) write(msg wire.Message) error {
	err := p.conn.SetWriteDeadline(time.Now().Add(writeLimit))
	if err != nil {
		return fmt.Errorf("%w: %w", ErrClosed, err)
	}
	p.count.sent(msg)
	p.allowance.expect(msg)
	_, err = wire.WriteMessageN(p.conn, msg, p.pver.Load(), p.cfg.Params.Net)
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Errorf("%w: the remote does not read", ErrTimeout)
	case err != nil:
		return fmt.Errorf("%w: writing %s: %w", ErrClosed, msg.Command(), err)
	}
	return nil
}
