package peer

import (
	"net"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/decred/dcrd/wire"
)

func addrMsg(addrs ...*wire.NetAddress) *wire.MsgAddr {
	msg := wire.NewMsgAddr()
	msg.AddAddresses(addrs...)
	return msg
}

func node(ip string, port uint16, services wire.ServiceFlag) *wire.NetAddress {
	return wire.NewNetAddressIPPort(net.ParseIP(ip), port, services)
}

func TestAddrsOnRequest(t *testing.T) {
	conversation(t, remoteVersion(), func(t *testing.T, p *Peer, r *remote, l *log) {
		full := wire.SFNodeNetwork
		r.send(addrMsg(node("198.51.100.1", 9108, full)))
		synctest.Wait()
		if len(l.addrs) != 0 {
			t.Errorf("addresses nobody asked for: %v", l.addrs)
		}
		for range 2 {
			if err := p.RequestAddrs(); err != nil {
				t.Fatal(err)
			}
		}
		expect[*wire.MsgGetAddr](r)
		r.expectNothing()
		r.send(addrMsg(
			node("198.51.100.1", 9108, full), node("2001:db8::1", 19108, full),
			node("198.51.100.2", 0, full), node("0.0.0.0", 9108, full), node("198.51.100.3", 9108, 0),
		))
		synctest.Wait()
		if want := []string{"198.51.100.1:9108", "[2001:db8::1]:19108"}; !slices.Equal(l.addrs, want) {
			t.Errorf("addresses %v, want %v", l.addrs, want)
		}
		many := wire.NewMsgAddr()
		for i := range wire.MaxAddrPerMsg {
			many.AddAddress(node("198.51.100.7", uint16(i+1), full))
		}
		r.send(many, many)
		synctest.Wait()
		if len(l.addrs) != maxAddrs {
			t.Errorf("%d addresses taken", len(l.addrs))
		}
	})
}

func TestAddrsV2(t *testing.T) {
	got := hostPortsV2(wire.NewMsgAddrV2([]wire.NetAddressV2{
		{Type: wire.IPv4Address, EncodedAddr: []byte{198, 51, 100, 1}, Port: 9108, Services: wire.SFNodeNetwork},
		{Type: wire.IPv6Address, EncodedAddr: net.ParseIP("2001:db8::1"), Port: 9108, Services: wire.SFNodeNetwork},
		{Type: wire.TorV3Address, EncodedAddr: make([]byte, 32), Port: 9108, Services: wire.SFNodeNetwork},
		{Type: wire.IPv4Address, EncodedAddr: []byte{198, 51, 100, 1}, Port: 0, Services: wire.SFNodeNetwork},
		{Type: wire.IPv4Address, EncodedAddr: []byte{0, 0, 0, 0}, Port: 9108, Services: wire.SFNodeNetwork},
		{Type: wire.IPv4Address, EncodedAddr: []byte{198, 51, 100, 2}, Port: 9108},
	}))
	if want := []string{"198.51.100.1:9108", "[2001:db8::1]:9108"}; !slices.Equal(got, want) {
		t.Errorf("addresses %v, want %v", got, want)
	}
}
