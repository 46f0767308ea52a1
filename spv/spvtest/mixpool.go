package spvtest

import (
	"bytes"
	"slices"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/wire"
)

// mixHash returns the hash of a mixing message, by which it is announced.
func mixHash(msg wire.Message) chainhash.Hash {
	var b bytes.Buffer
	if err := msg.BtcEncode(&b, wire.MixVersion); err != nil {
		panic(err) // the caller made it
	}
	return chainhash.HashH(b.Bytes())
}

// AnnounceMix puts a mixing message into the pool and announces it to the clients that
// want to hear of such messages, as dcrd does. They get it if they ask.
func (p *Peer) AnnounceMix(msg wire.Message) {
	hash := mixHash(msg)
	p.mu.Lock()
	p.mixes[hash] = msg
	clients := p.connected()
	p.mu.Unlock()
	inv := wire.NewMsgInv()
	inv.AddInvVect(wire.NewInvVect(wire.InvTypeMix, &hash))
	for _, c := range clients {
		if c.ready.Load() && c.relay.Load() && c.pver.Load() >= wire.MixVersion {
			c.Send(inv)
		}
	}
}

// TakenMixes returns the mixing messages that clients have sent, in order.
func (p *Peer) TakenMixes() []wire.Message {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.takenMixes)
}

// takeMix puts a mixing message that a client sent into the pool.
func (p *Peer) takeMix(msg wire.Message) {
	hash := mixHash(msg)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.mixes[hash] == nil {
		p.mixes[hash] = msg
		p.takenMixes = append(p.takenMixes, msg)
	}
}

// mix returns a mixing message of the pool.
func (p *Peer) mix(hash *chainhash.Hash) wire.Message {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.mixes[*hash]
}
