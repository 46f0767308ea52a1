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
	size := counter(overhead(msg))
	msg.BtcEncode(&size, wire.ProtocolVersion) // it was decoded, and a counter takes all
	return arrivedMessage{s: s, msg: msg, size: int(size)}
}

// overhead is how much more memory a message takes than its encoding has bytes, about:
// lists of nothing have hardly any.
func overhead(msg wire.Message) int {
	const (
		fixed = 300 // of any message
		list  = 24  // beside what is in it
		utxo  = 80  // three lists and a padding
		inOut = 40  // of a transaction
	)
	switch msg := msg.(type) {
	case *wire.MsgMixPairReq:
		return fixed + utxo*len(msg.UTXOs)
	case *wire.MsgMixSlotReserve:
		lists := len(msg.DCMix)
		for _, row := range msg.DCMix {
			lists += len(row)
		}
		return fixed + list*lists
	case *wire.MsgMixFactoredPoly:
		return fixed + list*len(msg.Roots)
	case *wire.MsgMixDCNet:
		return fixed + list*len(msg.DCNet)
	case *wire.MsgMixConfirm:
		return fixed + inOut*(len(msg.Mix.TxIn)+len(msg.Mix.TxOut))
	case *wire.MsgMixSecrets:
		return fixed + list*len(msg.SlotReserveMsgs)
	}
	return fixed
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
	// It was asked for, and is what it should be: it is welcome also from a peer that took
	// too long, while another one is being asked or nobody else has it.
	switch req := e.relay.requested[item]; {
	case req != nil:
		e.endTxRequest(req)
	case e.relay.seen().Contains(item):
		return // another peer has sent it
	}
	e.relay.learn(item)
	if !e.messages.send(m, ev.size) {
		e.relay.unlearn(item) // a reader had no room for it, and may have when another peer announces it
	}
}
