package spvtest

import (
	"fmt"
	"net"
	"time"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/wire"
)

// honestAgent is the user agent of the node whose behaviour is the standard.
const honestAgent = "/dcrwire:1.0.0/dcrd:2.1.3/"

// handle deals with a message, and reports whether the connection goes on.
func (c *Client) handle(msg wire.Message) bool {
	b := c.peer.Behaviour()
	command := msg.Command()
	c.messages++
	if b.DropOn[command] || b.DropAfter > 0 && c.messages >= b.DropAfter {
		return false
	}
	if b.SilentHandshake {
		return true
	}
	if !c.greeted {
		version, ok := msg.(*wire.MsgVersion)
		if !ok {
			c.violate(command+" before version", false)
			return false
		}
		return c.greet(version, &b)
	}
	if reason, ban := c.limits.exceeded(c, msg); reason != "" {
		c.violate(reason, ban)
		return false
	}
	if _, ok := msg.(*wire.MsgVerAck); ok {
		return c.welcome(&b)
	}
	if b.Hook != nil && b.Hook(c, msg) || b.Silent[command] || b.Silent["*"] {
		return true
	}
	c.dispatch(msg, &b)
	return true
}

// dispatch answers a message of an established connection.
func (c *Client) dispatch(msg wire.Message, b *Behaviour) {
	switch m := msg.(type) {
	case *wire.MsgPing:
		c.answer(func() { c.transmit(wire.NewMsgPong(m.Nonce)) })
	case *wire.MsgGetHeaders:
		c.answer(func() { c.sendHeadersFor(m) })
	case *wire.MsgGetCFilterV2:
		c.countFilters(&m.BlockHash, &m.BlockHash)
		c.answer(func() { c.sendFilter(m) })
	case *wire.MsgGetCFsV2:
		c.countFilters(&m.StartHash, &m.EndHash)
		c.answer(func() { c.sendFilters(m) })
	case *wire.MsgGetData:
		c.getdata.Add(1)
		c.answer(func() {
			c.sendData(m)
			c.getdata.Add(-1)
		})
	case *wire.MsgSendHeaders:
		c.sendHeaders.Store(true)
	case *wire.MsgGetInitState:
		c.answerInitState()
	case *wire.MsgInitState:
		if c.initState != nil {
			c.initState.Stop()
		}
	case *wire.MsgInv:
		c.fetchTxs(m)
	case *wire.MsgTx:
		c.peer.take(m)
	case *wire.MsgMixPairReq, *wire.MsgMixKeyExchange, *wire.MsgMixCiphertexts, *wire.MsgMixSlotReserve,
		*wire.MsgMixFactoredPoly, *wire.MsgMixDCNet, *wire.MsgMixConfirm, *wire.MsgMixSecrets:
		c.peer.takeMix(m)
	case *wire.MsgGetAddr:
		c.sendAddrs(b)
	}
}

// greet answers the version message as dcrd does: part of what it asks of every
// peer comes before its verack. It reports whether the client is acceptable.
func (c *Client) greet(v *wire.MsgVersion, b *Behaviour) bool {
	c.greeted = true
	if v.ProtocolVersion < int32(wire.RemoveRejectVersion) {
		return false
	}
	own := c.version(b)
	c.pver.Store(uint32(min(v.ProtocolVersion, own.ProtocolVersion)))
	c.relay.Store(!v.DisableRelayTx)
	if b.Silent[v.Command()] || b.Silent["*"] {
		return true
	}
	c.initState = time.AfterFunc(initStateTimeout, c.Close)
	headers := wire.NewMsgGetHeaders()
	tip := c.peer.serving()
	hash := tip.Hash(tip.height)
	headers.BlockLocatorHashes = []*chainhash.Hash{&hash}
	state := wire.NewMsgGetInitState()
	state.AddTypes(wire.InitStateHeadBlocks, wire.InitStateHeadBlockVotes, wire.InitStateTSpends)
	c.answer(func() {
		c.transmit(own)
		c.transmit(headers)
		c.transmit(wire.NewMsgVerAck())
		c.transmit(state)
		c.transmit(wire.NewMsgSendHeaders())
	})
	return true
}

// version makes the peer's version message.
func (c *Client) version(b *Behaviour) *wire.MsgVersion {
	v := &wire.MsgVersion{
		ProtocolVersion: int32(wire.BatchedCFiltersV2Version),
		Services:        wire.SFNodeNetwork,
		Timestamp:       time.Unix(time.Now().Add(b.ClockAhead).Unix(), 0),
		AddrYou:         wire.NetAddress{IP: net.IPv4(127, 0, 0, 1)},
		AddrMe:          wire.NetAddress{IP: net.IPv4(127, 0, 0, 1), Services: wire.SFNodeNetwork},
		Nonce:           mix(uint64(time.Now().UnixNano()) ^ uint64(c.id)),
		UserAgent:       honestAgent,
		LastBlock:       int32(c.peer.Height()),
	}
	if b.PVer != 0 {
		v.ProtocolVersion = int32(b.PVer)
	}
	switch b.Services {
	case 0:
	case NoServices:
		v.Services = 0
	default:
		v.Services = b.Services
	}
	if b.UserAgent != "" {
		v.UserAgent = b.UserAgent
	}
	if b.AdvertisedHeight != 0 {
		v.LastBlock = b.AdvertisedHeight
	}
	return v
}

// welcome completes the handshake, and sends what nobody has asked for.
func (c *Client) welcome(b *Behaviour) bool {
	c.ready.Store(true)
	c.answer(func() {
		for i := range b.InvFlood {
			c.transmit(c.unknownBlocks(i))
		}
		for _, msg := range b.Unsolicited {
			c.transmit(msg)
		}
		if len(b.Garbage) > 0 {
			c.transmitBytes(b.Garbage)
		}
	})
	return true
}

// unknownBlocks makes the i-th inv message of a flood: a thousand blocks that do
// not exist.
func (c *Client) unknownBlocks(i int) *wire.MsgInv {
	inv := wire.NewMsgInvSizeHint(1000)
	for k := range 1000 {
		hash := chainhash.HashH(fmt.Appendf(nil, "flood %d %d %d", c.id, i, k))
		inv.AddInvVect(wire.NewInvVect(wire.InvTypeBlock, &hash))
	}
	return inv
}

// answerInitState tells the last block, no votes, and the spends of the treasury in the
// memory pool; dcrd answers once.
func (c *Client) answerInitState() {
	if c.limits.initStates > 1 {
		return
	}
	c.answer(func() {
		v := c.peer.serving()
		hash := v.Hash(v.height)
		state := wire.NewMsgInitState()
		state.AddBlockHash(&hash)
		for _, spend := range c.peer.treasurySpends() {
			state.AddTSpendHash(&spend)
		}
		c.transmit(state)
	})
}

// sendAddrs tells the addresses of other peers; dcrd says nothing if it knows
// none.
func (c *Client) sendAddrs(b *Behaviour) {
	if len(b.Addrs) == 0 {
		return
	}
	msg := wire.NewMsgAddr()
	for _, a := range b.Addrs {
		tcp := net.TCPAddrFromAddrPort(a)
		msg.AddAddress(wire.NewNetAddressTimestamp(time.Now(), wire.SFNodeNetwork, tcp.IP, uint16(tcp.Port)))
	}
	c.answer(func() { c.transmit(msg) })
}
