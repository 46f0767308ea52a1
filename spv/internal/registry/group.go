package registry

import "net/netip"

// Group returns the network that a host:port belongs to: the first 16 bits of
// an IPv4 address, the first 32 of an IPv6 one, as in 192.0.0.0/16. Addresses in
// one group are likely to be in one hand, so NextDial takes one of each (Bitcoin
// Core and dcrd's address manager group them alike, against eclipse attacks).
// It is "", which is no limit, for what tells nothing about who runs it:
// loopback, private and link-local addresses, .onion addresses and host names.
func Group(addr string) string {
	host, _, err := splitAddr(addr)
	if err != nil {
		return ""
	}
	ip, err := netip.ParseAddr(host)
	if err != nil || ip.IsLoopback() || ip.IsPrivate() || ip.IsLinkLocalUnicast() {
		return ""
	}
	bits := 32
	if ip.Is4() {
		bits = 16
	}
	return netip.PrefixFrom(ip, bits).Masked().String()
}

// takenGroups are the groups that a connection stands in or is being made in.
func (r *Registry) takenGroups() map[string]bool {
	taken := make(map[string]bool)
	for _, e := range r.order {
		if e.state != stateIdle && e.group != "" {
			taken[e.group] = true
		}
	}
	return taken
}

// GroupTaken tells whether a connection or dial to the network group of an
// address is there already, so that the address will not be dialed.
func (r *Registry) GroupTaken(addr string) bool {
	g := Group(addr)
	return g != "" && r.takenGroups()[g]
}
