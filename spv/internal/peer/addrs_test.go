package peer

import (
	"bytes"
	"encoding/base32"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

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

// TestAddrsByTheRemotesClock: however far our clock is from that of the others, what was
// seen lately by theirs is taken, and what was not is not.
func TestAddrsByTheRemotesClock(t *testing.T) {
	for _, off := range []time.Duration{0, 3 * time.Hour, 25 * time.Hour, 10 * 365 * 24 * time.Hour, -25 * time.Hour, -365 * 24 * time.Hour} {
		version := remoteVersion()
		version.Timestamp = version.Timestamp.Add(off)
		conversation(t, version, func(t *testing.T, p *Peer, r *remote, l *log) {
			time.Sleep(time.Hour)
			if err := p.RequestAddrs(); err != nil {
				t.Fatal(err)
			}
			expect[*wire.MsgGetAddr](r)
			fresh, old := node("198.51.100.1", 9108, wire.SFNodeNetwork), node("198.51.100.2", 9108, wire.SFNodeNetwork)
			fresh.Timestamp, old.Timestamp = time.Now().Add(off-23*time.Hour), time.Now().Add(off-25*time.Hour)
			r.send(addrMsg(fresh, old))
			synctest.Wait()
			if want := []string{"198.51.100.1:9108"}; !slices.Equal(l.addrs, want) {
				t.Errorf("%v off: addresses %v, want %v", off, l.addrs, want)
			}
		})
	}
}

func nodeV2(kind wire.NetAddressType, addr []byte, port uint16, services wire.ServiceFlag, age time.Duration) wire.NetAddressV2 {
	return wire.NewNetAddressV2(kind, addr, port, time.Now().Add(-age), services)
}

// From protocol version 12 on there are onion addresses. This one is Tor's own
// example (rend-spec-v3).
func TestAddrsV2(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const onion = "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd"
		service, err := base32.StdEncoding.DecodeString(strings.ToUpper(onion))
		if err != nil {
			t.Fatal(err)
		}
		ours, r := newRemote(t)
		cfg := testConfig()
		cfg.MaxPVer = 12
		result := shake(t.Context(), ours, cfg)
		expect[*wire.MsgVersion](r)
		version := remoteVersion()
		version.ProtocolVersion = 12
		r.send(version, wire.NewMsgVerAck())
		res, l := <-result, new(log)
		if res.err != nil {
			t.Fatal(res.err)
		}
		p := res.peer
		ended := call(func() (any, error) { return nil, p.Run(t.Context(), l) })
		if err := p.RequestAddrs(); err != nil {
			t.Fatal(err)
		}
		expect[*wire.MsgVerAck](r)
		expect[*wire.MsgGetAddr](r)
		full := wire.SFNodeNetwork
		msg := wire.NewMsgAddrV2([]wire.NetAddressV2{
			nodeV2(wire.IPv4Address, []byte{198, 51, 100, 1}, 9108, full, 0),
			nodeV2(wire.IPv6Address, net.ParseIP("2001:db8::1"), 9108, full, 0),
			nodeV2(wire.TorV3Address, service[:32], 9108, full, 0),
			nodeV2(wire.TorV3Address, service[:32], 0, full, 0),
			nodeV2(wire.TorV3Address, service[:32], 9109, 0, 0),
			nodeV2(wire.IPv4Address, []byte{198, 51, 100, 1}, 0, full, 0),
			nodeV2(wire.IPv4Address, []byte{0, 0, 0, 0}, 9108, full, 0),
			nodeV2(wire.IPv6Address, make([]byte, 16), 9108, full, 0),
			nodeV2(wire.IPv4Address, []byte{198, 51, 100, 2}, 9108, 0, 0),
			nodeV2(wire.IPv4Address, []byte{198, 51, 100, 3}, 9108, full, 25*time.Hour),
		})
		var b bytes.Buffer
		if err := wire.WriteMessage(&b, msg, wire.AddrV2Version, simnet.Net); err != nil {
			t.Fatal(err)
		}
		r.out <- b.Bytes()
		synctest.Wait()
		want := []string{"198.51.100.1:9108", "[2001:db8::1]:9108", onion + ".onion:9108"}
		if !slices.Equal(l.addrs, want) {
			t.Errorf("addresses %v, want %v", l.addrs, want)
		}
		p.Close(nil)
		<-ended
	})
}

// Addresses are taken when the node was seen within a day.
func TestAddrsAreFresh(t *testing.T) {
	conversation(t, remoteVersion(), func(t *testing.T, p *Peer, r *remote, l *log) {
		if err := p.RequestAddrs(); err != nil {
			t.Fatal(err)
		}
		expect[*wire.MsgGetAddr](r)
		msg := wire.NewMsgAddr()
		for i, age := range []time.Duration{0, 24 * time.Hour, 24*time.Hour + time.Second, -24 * time.Hour, -25 * time.Hour} {
			a := node("198.51.100.1", uint16(i+1), wire.SFNodeNetwork)
			a.Timestamp = time.Now().Add(-age)
			msg.AddAddress(a)
		}
		r.send(msg)
		synctest.Wait()
		if want := []string{"198.51.100.1:1", "198.51.100.1:2", "198.51.100.1:4"}; !slices.Equal(l.addrs, want) {
			t.Errorf("addresses %v, want %v", l.addrs, want)
		}
	})
}
