package spvtest

import (
	"net"
	"time"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/wire"
)

// floodItems is how much there is in one message of a flood.
const floodItems = 200

// unknownSize is the payload of a message with an unknown command, in bytes.
const unknownSize = 100

// maxTold is how many transactions an adversary has at most.
const maxTold = 500

// talk makes the messages that a rule has a peer send without being asked.
func (a *Adversary) talk(r Rule) []wire.Message {
	v := a.peer.serving()
	n := uint32(max(r.N, 1))
	old := v.height - min(n, v.height-1)
	switch r.Do {
	case TellTip:
		return []wire.Message{v.headersOf(v.height, v.height)}
	case TellOld:
		return []wire.Message{v.headersOf(old, v.height)}
	case TellSide:
		side := a.memory.side(v, n)
		return []wire.Message{side.headersOf(side.forkWith(v)+1, side.height)}
	case TellOrphan:
		side := a.memory.side(v, n)
		return []wire.Message{side.headersOf(side.height, side.height)}
	case InvTip:
		return []wire.Message{invOf(wire.InvTypeBlock, v.Hash(v.height))}
	case InvOld:
		return []wire.Message{invOf(wire.InvTypeBlock, v.Hash(old))}
	case InvSide:
		side := a.memory.side(v, n)
		return []wire.Message{invOf(wire.InvTypeBlock, side.Hash(side.height))}
	case InvUnknown:
		return []wire.Message{invOf(wire.InvTypeBlock, a.unknown(int(n))...)}
	case Unasked:
		return []wire.Message{
			v.Block(old),
			wire.NewMsgCFiltersV2([]wire.MsgCFilterV2{{BlockHash: v.Hash(old), Data: v.Filter(old)}}),
			headersMessage(nil),
		}
	}
	msgs := make([]wire.Message, 0, n)
	for range n {
		msgs = append(msgs, a.flood(r.Do, v)...)
	}
	return msgs
}

// flood makes one message of a flood, or one of each kind.
func (a *Adversary) flood(do Choice, v view) []wire.Message {
	if do == FloodGets {
		return []wire.Message{wire.NewMsgGetHeaders(), wire.NewMsgGetAddr(), wire.NewMsgGetInitState()}
	}
	return []wire.Message{a.floodOne(do, v)}
}

func (a *Adversary) floodOne(do Choice, v view) wire.Message {
	switch do {
	case FloodInv:
		return invOf(wire.InvTypeBlock, a.unknown(floodItems)...)
	case FloodTxs:
		return invOf(wire.InvTypeTx, a.unknown(floodItems)...)
	case FloodKnown:
		from := 1 + uint32(a.unknown(1)[0][0])%max(v.height-100, 1)
		return v.headersOf(from, from+99)
	case FloodAddrs:
		return a.someAddrs()
	case FloodPings:
		return wire.NewMsgPing(uint64(a.unknown(1)[0][0]))
	case FloodAsking:
		ask := wire.NewMsgGetDataSizeHint(floodItems)
		for _, hash := range a.unknown(floodItems) {
			ask.AddInvVect(wire.NewInvVect(wire.InvTypeTx, &hash))
		}
		return ask
	}
	return &rawMessage{"whatever", make([]byte, unknownSize)}
}

// invOf announces things of a kind.
func invOf(kind wire.InvType, hashes ...chainhash.Hash) wire.Message {
	inv := wire.NewMsgInvSizeHint(uint(len(hashes)))
	for _, hash := range hashes {
		inv.AddInvVect(wire.NewInvVect(kind, &hash))
	}
	return inv
}

// someAddrs tells of addresses: its own, or public ones of nobody.
func (a *Adversary) someAddrs() wire.Message {
	msg := wire.NewMsgAddr()
	for _, hash := range a.unknown(floodItems) {
		ip := net.IPv4(hash[0]%90+20, hash[1], hash[2], hash[3]|1)
		port := uint16(18555)
		a.mu.Lock()
		if n := len(a.addrs); n > 0 {
			addr := a.addrs[(int(hash[0])<<16|int(hash[1])<<8|int(hash[2]))%n]
			ip, port = addr.Addr().AsSlice(), addr.Port()
		}
		a.mu.Unlock()
		msg.AddAddress(wire.NewNetAddressTimestamp(time.Now(), wire.SFNodeNetwork, ip, port))
	}
	return msg
}

// tellTxs announces n transactions that it makes up, and has.
func (a *Adversary) tellTxs(n int) {
	for _, hash := range a.unknown(n) {
		a.mu.Lock()
		script := a.script
		a.mu.Unlock()
		a.peer.mu.Lock()
		full := len(a.peer.txs) >= maxTold
		a.peer.mu.Unlock()
		if full {
			return
		}
		tx := wire.NewMsgTx()
		prev := wire.NewOutPoint(&hash, 0, wire.TxTreeRegular)
		tx.AddTxIn(wire.NewTxIn(prev, 2e8, make([]byte, 108)))
		tx.AddTxOut(wire.NewTxOut(1e8, script))
		a.peer.AnnounceTx(tx)
	}
}
