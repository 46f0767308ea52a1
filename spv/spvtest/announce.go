package spvtest

import (
	"dcrspv/spv/chain"

	"github.com/decred/dcrd/wire"
)

// SetChain makes the peer serve a chain as it is now: the one it serves already,
// after blocks were mined, or another branch. Every block that is new on its
// best chain is announced to every client, one by one from the lowest, as dcrd
// does: by a headers message with that one header if the client has sent
// sendheaders, else by inv.
//
// The peer takes any chain, whatever its work.
func (p *Peer) SetChain(c *Chain) {
	p.mu.Lock()
	lag, quiet := p.behaviour.Lag, p.behaviour.NoAnnounce
	before := p.view.behind(lag)
	if before.Chain != c {
		p.past = append(p.past, p.view)
	}
	p.view = viewOf(c)
	p.endless = nil
	now := p.view.behind(lag)
	clients := p.connected()
	p.mu.Unlock()

	from := before.forkWith(now) + 1
	if quiet || from > now.height {
		return
	}
	for _, client := range clients {
		if client.ready.Load() {
			client.offer(func() { client.announce(now, from) })
		}
	}
}

// announce tells of the blocks in view from a height on.
func (c *Client) announce(v view, from uint32) {
	for h := from; h <= v.height; h++ {
		if c.sendHeaders.Load() {
			c.transmit(headersMessage([]chain.Header{v.Header(h)}))
			continue
		}
		hash := v.Hash(h)
		inv := wire.NewMsgInv()
		inv.AddInvVect(wire.NewInvVect(wire.InvTypeBlock, &hash))
		c.transmit(inv)
	}
}

// Send queues messages for all clients whose handshake is complete.
func (p *Peer) Send(msgs ...wire.Message) {
	for _, c := range p.Clients() {
		if c.ready.Load() {
			c.Send(msgs...)
		}
	}
}

// Headers makes a headers message of a span of heights, both ends included, for
// announcements that no honest peer would send.
func (c *Chain) Headers(from, to uint32) wire.Message {
	return headersMessage(viewOf(c).span(from, to))
}
