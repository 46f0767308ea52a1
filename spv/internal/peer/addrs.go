package peer

import (
	"crypto/sha3"
	"encoding/base32"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/decred/dcrd/wire"
)

const (
	// maxAddrs is how many addresses are taken from a remote.
	maxAddrs = wire.MaxAddrPerMsg

	// freshAddr is how long ago a node may have been seen for its address to
	// be taken, and how far in the future, by the clock of who tells it: ours may be
	// wrong, and it can write what it likes either way.
	freshAddr = 24 * time.Hour
)

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

// hostPorts returns the full nodes in an addr message that were seen lately.
func hostPorts(msg *wire.MsgAddr, now time.Time) []string {
	var addrs []string
	for _, a := range msg.AddrList {
		if wanted(a.Services, a.Port, now.Sub(a.Timestamp)) && !a.IP.IsUnspecified() {
			addrs = append(addrs, hostPort(a.IP.String(), a.Port))
		}
	}
	return addrs
}

// hostPortsV2 is hostPorts for an addrv2 message, which has onion addresses
// too.
func hostPortsV2(msg *wire.MsgAddrV2, now time.Time) []string {
	var addrs []string
	for i := range msg.AddrList {
		a := &msg.AddrList[i]
		if !wanted(a.Services, a.Port, now.Sub(a.Timestamp)) {
			continue
		}
		ip := net.IP(a.EncodedAddr)
		switch {
		case a.Type == wire.TorV3Address:
			addrs = append(addrs, hostPort(onion([32]byte(a.EncodedAddr)), a.Port))
		case !ip.IsUnspecified():
			addrs = append(addrs, hostPort(ip.String(), a.Port))
		}
	}
	return addrs
}

// wanted tells whether an address is of a full node that was seen lately.
func wanted(services wire.ServiceFlag, port uint16, age time.Duration) bool {
	return services&wire.SFNodeNetwork != 0 && port != 0 && age.Abs() <= freshAddr
}

// remoteTime is what the remote's clock says now, by its own word.
func (p *Peer) remoteTime() time.Time {
	return p.met.Round(0).Add(p.info.TimeOffset).Add(time.Since(p.met))
}

func hostPort(host string, port uint16) string {
	return net.JoinHostPort(host, strconv.Itoa(int(port)))
}

// onion returns the host name of a version 3 onion service: its public key, a
// checksum and the version (rend-spec-v3 of Tor, section 6).
func onion(key [32]byte) string {
	const version = 3
	sum := sha3.Sum256(append(append([]byte(".onion checksum"), key[:]...), version))
	address := append(key[:], sum[0], sum[1], version)
	return strings.ToLower(base32.StdEncoding.EncodeToString(address)) + ".onion"
}
