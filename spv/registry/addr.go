package registry

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// NormalizeAddr returns addr as host:port in the one form in which the registry
// keeps it, so that no peer is known twice: lower case, IP addresses in their
// shortest form, IPv4 never dressed as IPv6, the port without leading zeros.
// defaultPort is used when addr has none; if that is empty too, or anything
// else is wrong, the error is ErrAddress. A host name is not looked up.
func NormalizeAddr(addr, defaultPort string) (string, error) {
	addr = strings.TrimSpace(addr)
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		host, port = strings.TrimSuffix(strings.TrimPrefix(addr, "["), "]"), defaultPort
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 {
		return "", fmt.Errorf("%w: %q has no valid port", ErrAddress, addr)
	}
	host, ok := normalizeHost(host)
	if !ok {
		return "", fmt.Errorf("%w: %q is no host", ErrAddress, addr)
	}
	return net.JoinHostPort(host, strconv.FormatUint(n, 10)), nil
}

// normalizeHost returns an IP address or a host name in its normal form.
func normalizeHost(host string) (string, bool) {
	if ip, err := netip.ParseAddr(host); err == nil {
		ip = ip.Unmap()
		// A zone names an interface of one machine: no address to keep.
		return ip.String(), !ip.IsUnspecified() && ip.Zone() == ""
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if len(host) > 253 {
		return "", false
	}
	for label := range strings.SplitSeq(host, ".") {
		if label == "" || strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return "", false
		}
	}
	return host, true
}

// banKey is what a ban of addr goes by. An IP address stands for the machine,
// whatever the port. Behind a loopback address there may be a tunnel to many
// machines, and a name may stand for many: there the port belongs to it. addr
// may lack a port, or be in any other form; it is then taken as a host.
func banKey(addr string) string {
	host, port, err := net.SplitHostPort(strings.TrimSpace(addr))
	if err != nil {
		host, port = strings.Trim(strings.TrimSpace(addr), "[]"), ""
	}
	if normal, ok := normalizeHost(host); ok {
		host = normal
	}
	ip, err := netip.ParseAddr(host)
	if port == "" || err == nil && !ip.IsLoopback() {
		return host
	}
	return net.JoinHostPort(host, port)
}

// keyHost is the host in a ban key.
func keyHost(key string) string {
	if host, _, err := net.SplitHostPort(key); err == nil {
		return host
	}
	return key
}
