package peer

import (
	"net"
	"strconv"

	"dcrspv/spv/chain"

	"github.com/decred/dcrd/wire"
)

// maxAddrs is how many addresses are taken from a remote.
const maxAddrs = wire.MaxAddrPerMsg

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

// RequestAddrs asks for addresses of other nodes (getaddr). What comes goes to
// Handler.Addrs; dcrd may stay silent. Only the first call sends anything:
// dcrd ignores a second one.
func (p *Peer) RequestAddrs() error {
	var err error
	p.getaddrs.Do(func() {
		p.addrs.Store(maxAddrs)
		err = p.Send(wire.NewMsgGetAddr())
	})
	return err
}

// onAddrs hands over addresses that are still welcome.
func (p *Peer) onAddrs(addrs []string) error {
	addrs = addrs[:min(int64(len(addrs)), p.addrs.Load())]
	if len(addrs) == 0 {
		return nil
	}
	p.addrs.Add(-int64(len(addrs)))
	return p.hand(func(h Handler) { h.Addrs(addrs) })
}

// hostPorts returns the full nodes in an addr message.
func hostPorts(msg *wire.MsgAddr) []string {
	var addrs []string
	for _, a := range msg.AddrList {
		if a.HasService(wire.SFNodeNetwork) && a.Port != 0 && !a.IP.IsUnspecified() {
			addrs = append(addrs, hostPort(a.IP, a.Port))
		}
	}
	return addrs
}

// hostPortsV2 returns the full nodes in an addrv2 message that have an IP
// address.
func hostPortsV2(msg *wire.MsgAddrV2) []string {
	var addrs []string
	for i := range msg.AddrList {
		a := &msg.AddrList[i]
		isIP := a.Type == wire.IPv4Address || a.Type == wire.IPv6Address
		ip := net.IP(a.EncodedAddr)
		if isIP && a.Services&wire.SFNodeNetwork != 0 && a.Port != 0 && !ip.IsUnspecified() {
			addrs = append(addrs, hostPort(ip, a.Port))
		}
	}
	return addrs
}

func hostPort(ip net.IP, port uint16) string {
	return net.JoinHostPort(ip.String(), strconv.Itoa(int(port)))
}
