package spvtest

import (
	"context"
	"errors"
	"net"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/decred/dcrd/wire"
)

func TestDialRefused(t *testing.T) {
	n := NewNetwork()
	defer n.Close()
	p := NewPeer(testChain(1), Behaviour{})
	n.Add("a:1", p)
	p.Refuse(true)
	for _, addr := range []string{"a:1", "nobody:1"} {
		_, err := n.Dial(context.Background(), "tcp", addr)
		var op *net.OpError
		if !errors.As(err, &op) || op.Op != "dial" || op.Addr.String() != addr || !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("%s: %v", addr, err)
		}
	}
	p.Refuse(false)
	conn, err := n.Dial(context.Background(), "tcp", "a:1")
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	if n.Dials("a:1") != 2 || n.Dials("nobody:1") != 1 || n.Dials("b:1") != 0 {
		t.Error("dials miscounted")
	}
}

func TestDialTakesTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := NewNetwork()
		defer n.Close()
		n.Add("slow:1", NewPeer(testChain(1), Behaviour{DialLatency: time.Second}))
		n.Add("hole:1", NewPeer(testChain(1), Behaviour{BlackHole: true}))
		start := time.Now()
		conn, err := n.Dial(context.Background(), "tcp", "slow:1")
		if err != nil || time.Since(start) != time.Second {
			t.Fatalf("%v after %v", err, time.Since(start))
		}
		conn.Close()
		start = time.Now()
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_, err = n.Dial(ctx, "tcp", "hole:1")
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 5*time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}

// TestBubble runs a network in virtual time, from beginning to end. The bubble
// itself checks that no goroutine is left over.
func TestBubble(t *testing.T) {
	chain := testChain(2500)
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(chain.Time()))
		n := NewNetwork()
		defer n.Close()
		p := NewPeer(chain, Behaviour{Latency: 300 * time.Millisecond})
		n.Add("10.0.0.1:9108", p)
		n.Add("10.0.0.2:9108", NewPeer(chain, Behaviour{}))
		conn, err := n.Dial(context.Background(), "tcp", "10.0.0.1:9108")
		if err != nil {
			t.Fatal(err)
		}
		c := newWireClient(t, conn)
		c.handshake(11, false)

		start := time.Now()
		if got := c.headers(zero, chain.Hash(0)); len(got) != 2000 || time.Since(start) != 300*time.Millisecond {
			t.Errorf("%d headers after %v", len(got), time.Since(start))
		}
		// Requests that are on their way together take one latency together.
		start = time.Now()
		for from := uint32(1); from < 1000; from += 100 {
			a, b := chain.Hash(from), chain.Hash(from+99)
			c.write(wire.NewMsgGetCFsV2(&a, &b))
		}
		for range 10 {
			c.next(wire.CmdCFiltersV2)
		}
		if got := time.Since(start); got != 300*time.Millisecond {
			t.Errorf("ten batches after %v", got)
		}
		if n.Count(wire.CmdGetCFiltersV2) != 10 || n.FilterRequests(1000) != 1 || len(n.Violations()) != 0 {
			t.Error("miscounted")
		}
		chain.Mine(1)
		n.SetChain(chain)
		c.next(wire.CmdInv)
	})
}

func TestBandwidth(t *testing.T) {
	chain := testChain(2000)
	synctest.Test(t, func(t *testing.T) {
		p := NewPeer(chain, Behaviour{})
		c := connect(t, p)
		p.SetBehaviour(Behaviour{Bandwidth: 100 << 10})
		_, before := p.Bytes()
		start := time.Now()
		c.headers(zero, chain.Hash(0))
		_, after := p.Bytes()
		want := time.Duration(after-before) * time.Second / (100 << 10)
		if got := time.Since(start); got < want-time.Millisecond || got > want+time.Millisecond {
			t.Errorf("%d bytes in %v, want %v", after-before, got, want)
		}
		p.Close()
	})
}

func TestTCP(t *testing.T) {
	chain := testChain(50)
	p := NewPeer(chain, Behaviour{})
	defer p.Close()
	addr, err := p.ListenTCP("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", addr.String())
	if err != nil {
		t.Fatal(err)
	}
	c := newWireClient(t, conn)
	c.handshake(11, false)
	if got := c.headers(zero, chain.Hash(0)); len(got) != 50 {
		t.Errorf("%d headers", len(got))
	}
	p.Disconnect()
	c.closed()
	p.Refuse(true)
	if conn, err = net.Dial("tcp", addr.String()); err != nil {
		t.Fatal(err)
	}
	newWireClient(t, conn).closed()
}
