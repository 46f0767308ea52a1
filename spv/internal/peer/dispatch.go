package peer

import (
	"time"

	"dcrspv/spv/chain"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/wire"
)

// dispatch answers a message, or gives it to its request or to the Handler. An error
// ends the connection. Messages that a light client has no answer for are ignored.
func (p *Peer) dispatch(msg any) error {
	switch msg := msg.(type) {
	case *wire.MsgPing:
		return p.send(wire.NewMsgPong(msg.Nonce))
	case *wire.MsgGetInitState:
		// dcrd drops a client that leaves this unanswered for 30 seconds.
		return p.send(wire.NewMsgInitState())
	case *wire.MsgGetHeaders:
		return p.send(&wire.MsgHeaders{})
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
			return p.callbacks.call(func(h Handler) { h.Inv(msg.InvList) })
		}
	case *wire.MsgGetData:
		if err := p.allowance.unknown(msg.InvList, time.Now()); err != nil {
			return err
		}
		if len(msg.InvList) > 0 {
			return p.callbacks.call(func(h Handler) { h.GetData(msg.InvList) })
		}
	case *wire.MsgTx:
		return p.onTx(msg)
	case *wire.MsgInitState:
		return p.callbacks.call(func(h Handler) { h.Message(msg) })
	case MixMessage:
		return p.onMix(msg)
	case *wire.MsgAddr:
		return p.onAddrs(hostPorts(msg, p.remote.clock()))
	case *wire.MsgAddrV2:
		return p.onAddrs(hostPortsV2(msg, p.remote.clock()))
	}
	return nil
}

// onNotFound ends the requests for blocks that the remote does not have, and gives the
// Handler the requested transactions and mixing messages that it does not have.
func (p *Peer) onNotFound(items []*wire.InvVect) error {
	var missing []chainhash.Hash
	now := time.Now()
	for _, item := range items {
		fits := false
		switch item.Type {
		case wire.InvTypeBlock:
			fits = p.blockNotFound(item.Hash)
		case wire.InvTypeTx, wire.InvTypeMix:
			if fits = p.txs().Contains(item.Hash); fits {
				p.txs().Delete(item.Hash)
				missing = append(missing, item.Hash)
			}
		}
		p.allowance.named(item, fits, now)
	}
	if len(missing) == 0 {
		return nil
	}
	return p.callbacks.call(func(h Handler) { h.NotFound(missing) })
}
