package peer

import (
	"dcrspv/spv/chain"

	"github.com/decred/dcrd/wire"
)

// dispatch gives a message to whoever it belongs to. An error ends the
// connection. What a light client has no answer for is ignored.
func (p *Peer) dispatch(msg any) error {
	switch msg := msg.(type) {
	case *wire.MsgPing:
		return p.Send(wire.NewMsgPong(msg.Nonce))
	case *wire.MsgGetInitState:
		// dcrd drops a client that leaves this unanswered for 30 seconds.
		return p.Send(wire.NewMsgInitState())
	case *wire.MsgGetHeaders:
		return p.Send(&wire.MsgHeaders{})
	case *wire.MsgVersion:
		return protocolError("second version message")

	case *wire.MsgPong:
		if r, _ := p.waiting.take(key{kindPong, pongHash(msg.Nonce)}); r != nil {
			p.deliver(r, reply{msg: msg})
		}
	case []chain.Header:
		return p.onHeaders(msg)
	case *wire.MsgCFiltersV2:
		p.onFilters(msg)
	case *wire.MsgCFilterV2:
		k := key{kindFilter, msg.BlockHash}
		r, late := p.waiting.take(k)
		p.answer(r, late, reply{key: k, msg: msg})
	case *wire.MsgBlock:
		k := key{kindBlock, msg.BlockHash()}
		r, late := p.waiting.take(k)
		p.answer(r, late, reply{key: k, msg: msg})
	case *wire.MsgNotFound:
		p.onBlocksNotFound(msg.InvList)
		return p.onTxsNotFound(msg.InvList)

	case *wire.MsgInv:
		if len(msg.InvList) > 0 {
			return p.hand(func(h Handler) { h.Inv(msg.InvList) })
		}
	case *wire.MsgGetData:
		if len(msg.InvList) > 0 {
			return p.hand(func(h Handler) { h.GetData(msg.InvList) })
		}
	case *wire.MsgTx:
		return p.onTx(msg)
	case *wire.MsgAddr:
		return p.onAddrs(hostPorts(msg))
	case *wire.MsgAddrV2:
		return p.onAddrs(hostPortsV2(msg))
	}
	return nil
}

// answer delivers an answer to its request, or counts it when it was never
// asked for.
func (p *Peer) answer(r *request, late bool, rep reply) {
	switch {
	case r != nil:
		p.deliver(r, rep)
	case !late:
		p.count.unsolicited.Add(1)
	}
}

// hand calls the Handler. During the handshake there is none yet, and the call
// is kept for Run.
func (p *Peer) hand(f func(Handler)) error {
	if p.handler == nil {
		if len(p.backlog) == maxBacklog {
			return protocolError("more than %d messages before verack", maxBacklog)
		}
		p.backlog = append(p.backlog, f)
		return nil
	}
	p.hold.begin()
	defer p.hold.end()
	f(p.handler)
	return nil
}
