package spvtest

import (
	"context"
	"math/rand/v2"
	"net/netip"
	"sync"
	"time"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/wire"
)

// Adversary makes a peer hostile. Whenever the peer could send something it
// chooses from everything that is well formed: the honest answer, another one,
// none, at once or just before the client's patience ends, and what nobody asked
// for. What it chooses is up to the policy that it has drawn; after a while it
// draws the next one.
//
// What it sends proves nothing against it: all headers are valid, all filters
// and blocks are those of the blocks that they name.
type Adversary struct {
	peer   *Peer
	memory *Memory

	mu     sync.Mutex // never held while anything blocks
	rng    *rand.Rand
	policy *Policy
	addrs  []netip.AddrPort // that it tells of; none: made up
	script []byte           // that its transactions pay to
	conn   conversation
}

// conversation is what an adversary knows of its latest connection.
type conversation struct {
	client  int
	begun   bool   // what is done when a client has connected is done
	walked  uint32 // the last header that Walk has sent
	headers wire.Message
	filters wire.Message
	data    wire.Message
}

// NewAdversary makes one of a peer; Run begins with it. Everything that it draws
// comes from rng, which is its own from now on.
func NewAdversary(p *Peer, rng *rand.Rand, m *Memory) *Adversary {
	m.mu.Lock()
	m.sharing++
	m.mu.Unlock()
	return &Adversary{peer: p, memory: m, rng: rng, script: Script(1 << 20)}
}

// Peer is the peer that the adversary is.
func (a *Adversary) Peer() *Peer { return a.peer }

// TellOf has it tell of these addresses in place of made-up ones.
func (a *Adversary) TellOf(addrs []netip.AddrPort) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.addrs = addrs
}

// PayTo has its unconfirmed transactions pay to a script in place of nobody's.
func (a *Adversary) PayTo(script []byte) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.script = script
}

// Policy is what is in force; nil before Run.
func (a *Adversary) Policy() *Policy {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.policy
}

// Run makes the peer hostile until the context ends; after that it goes on with
// its last policy, but does nothing by itself any more.
func (a *Adversary) Run(ctx context.Context) {
	for {
		p := a.memory.next(a.rngNow())
		a.adopt(p)
		for end := time.Now().Add(p.Lasts); time.Now().Before(end); {
			if !wait(ctx, a.pause(p.Pace)) {
				return
			}
			a.state()
			for _, c := range a.peer.Clients() {
				if c.ready.Load() {
					a.act(c, ByItself)
				}
			}
		}
	}
}

// rngNow returns a generator for one use outside the lock.
func (a *Adversary) rngNow() *rand.Rand {
	a.mu.Lock()
	defer a.mu.Unlock()
	return rand.New(rand.NewPCG(a.rng.Uint64(), a.rng.Uint64()))
}

// pause is the time until it does something by itself, give or take a tenth.
func (a *Adversary) pause(pace time.Duration) time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	return span(a.rng, pace-pace/10, pace+pace/10)
}

// wait lets a while pass, and reports whether the context still stands.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// adopt puts a policy in force.
func (a *Adversary) adopt(p *Policy) {
	a.mu.Lock()
	a.policy = p
	a.mu.Unlock()
	a.state()
	if p.Renews {
		a.peer.Disconnect()
	}
}

// state has the peer behave, and state a height, as the policy says.
func (a *Adversary) state() {
	a.mu.Lock()
	p := a.policy
	b := Behaviour{
		NoAnnounce:      !p.Announces,
		Bandwidth:       p.Bandwidth,
		DialLatency:     p.Dial,
		SilentHandshake: p.Mute,
		Addrs:           a.addrs,
		Hook:            a.hook,
	}
	a.mu.Unlock()
	b.AdvertisedHeight = p.Claims.height(a.peer.serving().height)
	b.RefuseConnections = a.peer.Behaviour().RefuseConnections
	a.peer.SetBehaviour(b)
}

// hook is called for each message after the handshake, in the order of the
// client's.
func (a *Adversary) hook(c *Client, msg wire.Message) (handled bool) {
	switch msg.(type) {
	case *wire.MsgGetHeaders:
		return a.answerBy(c, OnHeaders, msg)
	case *wire.MsgGetCFsV2, *wire.MsgGetCFilterV2:
		return a.answerBy(c, OnFilters, msg)
	case *wire.MsgGetData:
		return a.answerBy(c, OnData, msg)
	case *wire.MsgPing:
		return a.answerBy(c, OnPing, msg)
	case *wire.MsgInitState: // the last of what a client sends in the handshake
		if a.begin(c) {
			a.act(c, OnConnect)
		}
	}
	return false
}

// begin reports whether a connection has only now begun.
func (a *Adversary) begin(c *Client) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.meet(c)
	begun := a.conn.begun
	a.conn.begun = true
	return !begun
}

// meet makes a connection the one that is known of, with mu held.
func (a *Adversary) meet(c *Client) {
	if c.id > a.conn.client {
		a.conn = conversation{client: c.id}
	}
}

// draw draws what to do now. ok is false if the policy has nothing to say.
func (a *Adversary) draw(c *Client, on Trigger) (r Rule, serves, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.meet(c)
	if a.policy == nil {
		return r, false, false
	}
	r, ok = a.policy.rule(a.rng, on)
	return r, a.policy.Serves, ok
}

// answerBy answers a request. It reports whether there is nothing left to do for
// the peer.
func (a *Adversary) answerBy(c *Client, on Trigger, msg wire.Message) bool {
	r, serves, ok := a.draw(c, on)
	if !ok {
		r.Do = Honest
	}
	if m, isBatch := msg.(*wire.MsgGetCFsV2); isBatch {
		c.countFilters(&m.StartHash, &m.EndHash)
	} else if m, isSingle := msg.(*wire.MsgGetCFilterV2); isSingle {
		c.countFilters(&m.BlockHash, &m.BlockHash)
	}
	if r.Do == Silence {
		return true
	}
	after(r.Delay, func() {
		if r.Do == HangUp {
			c.Close()
			return
		}
		// Queued, so that only one goroutine sends.
		c.offer(func() {
			for _, answer := range a.answer(c, r, serves, msg) {
				c.transmit(answer)
			}
		})
	})
	return true
}

// after does something later, or at once.
func after(d time.Duration, do func()) {
	if d <= 0 {
		do()
		return
	}
	time.AfterFunc(d, do)
}

// act does something that nobody asked for.
func (a *Adversary) act(c *Client, on Trigger) {
	r, _, ok := a.draw(c, on)
	if !ok {
		return
	}
	after(r.Delay, func() {
		switch r.Do {
		case HangUp:
			c.Close()
		case Away:
			a.leave(time.Duration(r.N) * time.Second)
		case TellTxs:
			a.tellTxs(r.N)
		default:
			c.offer(func() {
				for _, msg := range a.talk(r) {
					c.transmit(msg)
				}
			})
		}
	})
}

// leave hangs up and refuses connections for a while.
func (a *Adversary) leave(d time.Duration) {
	a.peer.Refuse(true)
	a.peer.Disconnect()
	time.AfterFunc(d, func() { a.peer.Refuse(false) })
}

// unknown returns n hashes of nothing.
func (a *Adversary) unknown(n int) []chainhash.Hash {
	a.mu.Lock()
	defer a.mu.Unlock()
	hashes := make([]chainhash.Hash, n)
	for i := range hashes {
		for k := 0; k < len(hashes[i]); k += 8 {
			v := a.rng.Uint64()
			for j := range 8 {
				hashes[i][k+j] = byte(v >> (8 * j))
			}
		}
	}
	return hashes
}

// headersOf is the headers message of a span of heights, which may be empty.
func (v view) headersOf(from, to uint32) wire.Message {
	to = min(to, v.height)
	if from > to {
		return headersMessage(nil)
	}
	return headersMessage(v.span(from, to))
}
