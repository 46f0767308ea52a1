package peer

import (
	"time"

	"dcrspv/spv/chain"

	"github.com/decred/dcrd/chaincfg/chainhash"
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
		if r, late := p.waiting.take(key{kindPong, pongHash(msg.Nonce)}); r != nil {
			p.deliver(r, reply{msg: msg})
		} else if !late {
			p.allowance.unfit(classPong, time.Now())
		}
	case []chain.Header:
		return p.onHeaders(msg)
	case *wire.MsgCFiltersV2:
		p.onFilters(msg)
	case *wire.MsgCFilterV2:
		k := key{kindFilter, msg.BlockHash}
		r, late := p.waiting.take(k)
		p.answer(classFilter, r, late, reply{key: k, msg: msg})
	case *wire.MsgBlock:
		k := key{kindBlock, msg.BlockHash()}
		r, late := p.waiting.take(k)
		p.answer(classBlock, r, late, reply{key: k, msg: msg})
	case *wire.MsgNotFound:
		return p.onNotFound(msg.InvList)

	case *wire.MsgInv:
		if len(msg.InvList) > 0 {
			return p.hand(func(h Handler) { h.Inv(msg.InvList) })
		}
	case *wire.MsgGetData:
		if err := p.allowance.unknown(msg.InvList, time.Now()); err != nil {
			return err
		}
		if len(msg.InvList) > 0 {
			return p.hand(func(h Handler) { h.GetData(msg.InvList) })
		}
	case *wire.MsgTx:
		return p.onTx(msg)
	case *wire.MsgAddr:
		return p.onAddrs(hostPorts(msg, p.remoteTime()))
	case *wire.MsgAddrV2:
		return p.onAddrs(hostPortsV2(msg, p.remoteTime()))
	}
	return nil
}

// answer delivers an answer to its request, or counts it when it was never
// asked for.
func (p *Peer) answer(c class, r *request, late bool, rep reply) {
	switch {
	case r != nil:
		p.deliver(r, rep)
	case !late:
		p.unasked(c)
	}
}

// unasked counts an answer that answers nothing.
func (p *Peer) unasked(c class) {
	p.count.unsolicited.Add(1)
	p.allowance.unfit(c, time.Now())
}

// onNotFound ends the requests for blocks that the remote does not have, and
// hands over which transactions that were asked for it does not have.
func (p *Peer) onNotFound(items []*wire.InvVect) error {
	var missing []chainhash.Hash
	now := time.Now()
	for _, item := range items {
		fits := false
		switch item.Type {
		case wire.InvTypeBlock:
			fits = p.blockNotFound(item.Hash)
		case wire.InvTypeTx:
			if fits = p.asked().Contains(item.Hash); fits {
				p.asked().Delete(item.Hash)
				missing = append(missing, item.Hash)
			}
		}
		p.allowance.named(item, fits, now)
	}
	if len(missing) == 0 {
		return nil
	}
	return p.hand(func(h Handler) { h.NotFound(missing) })
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
