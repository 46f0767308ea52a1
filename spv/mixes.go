package spv

import (
	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/wire"
)

// arrivedMessage: a peer sent a message that only the program has a use for.
type arrivedMessage struct {
	s    *session
	msg  wire.Message
	size int // in bytes, as it takes memory
}

// newArrivedMessage measures a message, on the reader's goroutine.
func newArrivedMessage(s *session, msg wire.Message) arrivedMessage {
	var size counter
	msg.BtcEncode(&size, wire.ProtocolVersion) // it was decoded, and a counter takes all
	if slots, ok := msg.(*wire.MsgMixSlotReserve); ok {
		const slice = 24 // bytes beside those that it refers to
		for _, row := range slots.DCMix {
			size += counter(slice * len(row))
		}
	}
	return arrivedMessage{s: s, msg: msg, size: int(size)}
}

// counter counts the bytes that are written to it.
type counter int

func (c *counter) Write(b []byte) (int, error) {
	*c += counter(len(b))
	return len(b), nil
}

func (ev arrivedMessage) apply(e *engine) {
	m := PeerMessage{Peer: ev.s.addr, Message: ev.msg}
	mix, ok := ev.msg.(interface{ Hash() chainhash.Hash })
	if !ok {
		e.messages.send(m, ev.size)
		return
	}
	item := wire.InvVect{Type: wire.InvTypeMix, Hash: mix.Hash()}
	req := e.relay.requested[item]
	if req == nil || req.s != ev.s {
		return // nobody asked for it, or no longer
	}
	e.endTxRequest(req)
	if !e.messages.send(m, ev.size) {
		e.relay.unlearn(item) // a reader had no room for it, and may have when another peer announces it
	}
}
