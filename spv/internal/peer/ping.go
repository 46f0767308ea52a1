package peer

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/wire"
)

// pingLoop sends a ping every minute until the connection ends, and ends it
// when there is no answer within 15 seconds. Bytes of any other message count
// as a sign of life: the pong may stand behind a long answer on a slow line. The
// next ping goes out all the same: dcrd closes a connection on which it has heard
// nothing for two minutes (peer.go, idleTimeout).
func (p *Peer) pingLoop() {
	ticker := time.NewTicker(pingInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-p.done:
			return
		}
		err := p.ping()
		switch {
		case errors.Is(err, context.DeadlineExceeded):
			continue
		case errors.Is(err, ErrStalled):
			err = fmt.Errorf("%w: no answer to a ping", ErrTimeout)
		}
		if err != nil {
			p.Close(err)
			return
		}
	}
}

// ping sends one ping, waits for its answer until the next one is due, and notes how
// long it took.
func (p *Peer) ping() error {
	ctx, cancel := context.WithTimeout(context.Background(), pingInterval)
	defer cancel()
	r, ping := newPing()
	if err := p.waiting.add(r); err != nil {
		return err
	}
	defer p.waiting.drop(r)
	if err := p.ask(ctx, r, ping); err != nil {
		return err
	}
	start := time.Now()
	if _, err := p.await(ctx, r); err != nil {
		return err
	}
	p.count.latency.Store(int64(time.Since(start)))
	return nil
}

// newPing is a ping, and the request that its answer belongs to.
func newPing() (*request, *wire.MsgPing) {
	nonce := rand.Uint64()
	r := newRequest(kindPong, []chainhash.Hash{pongHash(nonce)}, 1)
	r.limit = pingLimit
	r.alive = true
	return r, wire.NewMsgPing(nonce)
}

// Delivered returns nil once the remote has read everything that Serve, Announce and
// Send queued before the call: it has answered a ping that stood behind. That a message
// was written only tells that it is on its way, and closing the connection may lose
// it. Nodes handle what comes in order, and a transaction before the next message
// (dcrd server.go, OnTx).
func (p *Peer) Delivered(ctx context.Context) error {
	r, ping := newPing()
	if err := p.waiting.add(r); err != nil {
		return err
	}
	defer p.waiting.drop(r)
	if err := p.Send(ping); err != nil {
		return err
	}
	r.sent = true
	_, err := p.await(ctx, r)
	return err
}

// pongHash is the number of a ping as a key has it.
func pongHash(nonce uint64) chainhash.Hash {
	var h chainhash.Hash
	binary.LittleEndian.PutUint64(h[:], nonce)
	return h
}
