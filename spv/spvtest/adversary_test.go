package spvtest

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"dcrspv/spv/chain"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/crypto/blake256"
	"github.com/decred/dcrd/wire"
)

// adversaryOf makes an adversary that serves a chain, and runs it until the test
// ends.
func adversaryOf(t *testing.T, c *Chain, seed uint64, m *Memory) *Adversary {
	a := NewAdversary(NewPeer(c, Behaviour{}), rand.New(rand.NewPCG(seed, 1)), m)
	go a.Run(t.Context())
	t.Cleanup(a.Peer().Close)
	return a
}

// asker connects to a peer again and again, asks for everything, and has a look
// at all that comes, whatever it is.
type asker struct {
	t    *testing.T
	c    *Chain
	net  *Network
	got  map[string]int
	look func(wire.Message)
}

// ask does so for a while. It returns how often it connected.
func (a *asker) ask(d time.Duration) (connections int) {
	ctx, cancel := context.WithTimeout(a.t.Context(), d)
	defer cancel()
	var writers sync.WaitGroup
	for ; ctx.Err() == nil; time.Sleep(time.Second) {
		conn, err := a.net.Dial(ctx, "tcp", "10.0.0.1:1")
		if err != nil {
			continue
		}
		connections++
		done := context.AfterFunc(ctx, func() { conn.Close() })
		w := &wireClient{t: a.t, conn: &errConn{Conn: conn}, pver: 11, magic: wire.SimNet, skipped: make(map[string]int)}
		writers.Go(func() {
			write := func(msg wire.Message) bool { return wire.WriteMessage(conn, msg, 11, wire.SimNet) == nil }
			ok := write(ownVersion(11)) && write(wire.NewMsgVerAck()) && write(wire.NewMsgInitState()) && write(wire.NewMsgSendHeaders())
			for tip := a.c.Height(); ok; time.Sleep(5 * time.Second) {
				genesis, from, to := a.c.Hash(0), a.c.Hash(tip-150), a.c.Hash(tip-51)
				headers := wire.NewMsgGetHeaders()
				headers.AddBlockLocatorHash(&genesis)
				ok = write(headers) && write(wire.NewMsgGetCFsV2(&from, &to)) &&
					write(getData(wire.InvTypeBlock, from, to)) && write(wire.NewMsgPing(1))
			}
		})
		for {
			msg, _, err := wire.ReadMessage(w.conn, 11, wire.SimNet)
			if bad := (*wire.MessageError)(nil); errors.As(err, &bad) && errors.Is(err, wire.ErrUnknownCmd) {
				a.got["unknown"]++
				io.CopyN(io.Discard, w.conn, unknownSize) // wire leaves the payload
				continue
			} else if errors.As(err, &bad) && w.conn.err == nil {
				a.t.Errorf("not well formed: %v", err)
			}
			if err != nil {
				break
			}
			a.got[msg.Command()]++
			a.look(msg)
		}
		done()
		conn.Close()
	}
	writers.Wait()
	return connections
}

// Nothing that an adversary sends proves anything against it: headers obey the
// rules, filters are those that headers commit to, blocks are those of the chain.
// Rule 22.
func TestAdversaryIsWellFormed(t *testing.T) {
	c := testChain(700)
	m := NewMemory(time.Second, 5*time.Second)
	known := func(hash chainhash.Hash) (*chain.Header, bool) {
		v := viewOf(c)
		if height, ok := v.find(&hash); ok {
			return v.header(height), true
		}
		if v, ok := m.branchOf(&hash); ok {
			height, _ := v.find(&hash)
			return v.header(height), true
		}
		return nil, false
	}
	got := make(map[string]int)
	for seed := range uint64(6) {
		synctest.Test(t, func(t *testing.T) {
			time.Sleep(time.Until(c.Time().Add(time.Hour)))
			a := adversaryOf(t, c, seed, m)
			asker := &asker{t: t, c: c, net: NewNetwork(), got: got}
			asker.net.Add("10.0.0.1:1", a.Peer())
			asker.look = func(msg wire.Message) {
				switch msg := msg.(type) {
				case *wire.MsgHeaders:
					for i, h := range msg.Headers {
						if _, ok := known(h.BlockHash()); !ok {
							t.Errorf("an unknown header at %d", h.Height)
						}
						if i > 0 && h.PrevBlock != msg.Headers[i-1].BlockHash() {
							t.Errorf("headers that do not link at %d", h.Height)
						}
					}
				case *wire.MsgCFiltersV2:
					for _, f := range msg.CFilters {
						if h, ok := known(f.BlockHash); !ok || blake256.Sum256(f.Data) != h.StakeRoot() {
							t.Errorf("a false filter of %v", f.BlockHash)
						}
					}
				case *wire.MsgBlock:
					if _, ok := known(msg.BlockHash()); !ok {
						t.Errorf("an unknown block %d", msg.Header.Height)
					}
				}
			}
			if n := asker.ask(20 * time.Minute); n < 2 {
				t.Errorf("%d connections in 20 minutes", n)
			}
		})
	}
	for _, command := range []string{wire.CmdHeaders, wire.CmdCFiltersV2, wire.CmdBlock, wire.CmdNotFound, wire.CmdPong, wire.CmdInv,
		wire.CmdAddr, wire.CmdPing, wire.CmdGetData, "unknown"} {
		if got[command] == 0 {
			t.Errorf("never sent: %s", command)
		}
	}
}

// Every choice is drawn for every occasion that it belongs to.
func TestPoliciesDrawEveryChoice(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	drawn := make(map[Trigger]map[Choice]bool)
	for on := range choices {
		drawn[on] = make(map[Choice]bool)
	}
	p := drawPolicy(r, []time.Duration{time.Second})
	for range 2000 {
		p = p.vary(r, []time.Duration{time.Second})
		for _, rule := range drawPolicy(r, nil).Rules {
			drawn[rule.On][rule.Do] = true
		}
	}
	for on, all := range choices {
		for _, do := range all {
			if !drawn[on][do] {
				t.Errorf("%s was never drawn for %s", do, on)
			}
		}
	}
}

// The same seeds make the same policies.
func TestAdversariesAreRepeatable(t *testing.T) {
	draw := func() (all []string) {
		m := NewMemory(time.Second, 30*time.Second)
		r := rand.New(rand.NewPCG(3, 4))
		for i := range 50 {
			p := m.next(r)
			m.Reward(p, time.Minute, i%3 == 0)
			all = append(all, p.String())
		}
		return all
	}
	if a, b := draw(), draw(); !slices.Equal(a, b) {
		t.Error("other policies from the same seed")
	}
}

// A policy that kept the client behind is used and varied more than others.
func TestMemoryPrefersWhatWorked(t *testing.T) {
	m := NewMemory(time.Second)
	r := rand.New(rand.NewPCG(5, 6))
	good := m.next(r)
	m.Reward(good, time.Hour, true)
	again := 0
	for range 100 {
		p := m.next(r)
		m.Reward(p, time.Hour, false)
		if p == good {
			again++
		}
	}
	if again < 10 {
		t.Errorf("the best policy was used %d times of 100", again)
	}
	if best, share := m.Best(3); len(best) != 1 || best[0] != good || share[0] >= 1 {
		t.Errorf("best are %v, %v", best, share)
	}
}

// A memory forgets the oldest policies, and never the best.
func TestMemoryIsBounded(t *testing.T) {
	m := NewMemory()
	r := rand.New(rand.NewPCG(7, 8))
	good := m.next(r)
	m.Reward(good, time.Hour, true)
	for range 10 * maxTrials {
		m.next(r)
	}
	if best, _ := m.Best(1); len(m.tried) > maxTrials || best[0] != good {
		t.Errorf("%d policies are remembered", len(m.tried))
	}
}

// Side branches are valid and have less work than the chain that they leave.
func TestSideBranchesHaveLessWork(t *testing.T) {
	c := testChain(500)
	m := NewMemory()
	for _, depth := range []uint32{1, 2, 3, 20, 300, 10_000} {
		side := m.side(viewOf(c), depth)
		if side.height >= c.Height() {
			t.Errorf("depth %d: a side branch up to %d", depth, side.height)
		}
		if err := judge(c, side.span(1, side.height)); err != nil {
			t.Errorf("depth %d: %v", depth, err)
		}
		if again := m.side(viewOf(c), depth); again.Chain != side.Chain {
			t.Errorf("depth %d: made twice", depth)
		}
	}
}
