package spv_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"dcrspv/spv"
	"dcrspv/spv/spvtest"
)

// A peer that hangs up on the k-th message it gets, in each of its connections,
// delays the sync by little and gets nobody else blamed, whatever k is.
// Rule 22.
func TestHangsUpAtEveryStep(t *testing.T) {
	c := paid(2100)
	for k := 1; k <= 24; k++ {
		t.Run(fmt.Sprint("message ", k), func(t *testing.T) {
			storyOn(t, c, func(w *world) {
				hangsUp := w.join(spvtest.Behaviour{DropAfter: k})
				w.wantSyncDespite(hangsUp)
			})
		})
	}
}

// Likewise one whose connection breaks after so many bytes, most of the time in
// the middle of a message.
// Rule 22.
func TestHangsUpInTheMiddleOfAMessage(t *testing.T) {
	c := paid(2100)
	var cuts []int
	for at := 0; at < 700; at += 47 { // the handshake
		cuts = append(cuts, at)
	}
	for at := 700; at < 600_000; at += at/3 + 1 { // headers, filters and blocks
		cuts = append(cuts, at)
	}
	for _, at := range cuts {
		t.Run(fmt.Sprint("after ", at), func(t *testing.T) {
			storyOn(t, c, func(w *world) {
				hangsUp := w.join(spvtest.Behaviour{})
				addr := w.addrs[0]
				w.wantSyncDespite(hangsUp, func(cfg *spv.Config) {
					cfg.Dial = func(ctx context.Context, network, to string) (net.Conn, error) {
						conn, err := w.net.Dial(ctx, network, to)
						if err == nil && to == addr {
							conn = &brokenConn{Conn: conn, left: at}
						}
						return conn, err
					}
				})
			})
		})
	}
}

// wantSyncDespite syncs with two honest peers besides, which join at the same
// time, and follows a block.
func (w *world) wantSyncDespite(hangsUp *spvtest.Peer, change ...func(*spv.Config)) {
	w.t.Helper()
	w.wallet.watch(0, watched)
	w.joinMany(2, spvtest.Behaviour{Latency: 50 * time.Millisecond})
	w.start(change...)
	began := time.Now()
	w.syncTo(w.chain)
	w.wantMatches(w.chain, 1050, 2100)

	longer := w.chain.Fork(w.chain.Height())
	longer.MineBlock(longer.Pay(watched, 1e8))
	for _, p := range w.peers {
		p.SetChain(longer)
	}
	w.syncTo(longer)
	w.wantMatches(longer, 1050, 2100, 2101)
	if took := time.Since(began); took > 20*time.Second {
		w.t.Errorf("it took %v", took)
	}
	w.wantUnpunished(1)
	w.wantUnpunished(2)
	w.wantNoViolations()
	if n := len(hangsUp.Log()); n > 24*20 {
		w.t.Errorf("the peer that hangs up got %d messages", n)
	}
}

// brokenConn is a connection that ends after so many bytes from the remote.
type brokenConn struct {
	net.Conn
	left int
}

func (c *brokenConn) Read(b []byte) (int, error) {
	if c.left == 0 {
		c.Close()
		return 0, io.ErrUnexpectedEOF
	}
	n, err := c.Conn.Read(b[:min(len(b), c.left)])
	c.left -= n
	return n, err
}
