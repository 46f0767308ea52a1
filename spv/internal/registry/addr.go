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
	host, port, err := splitAddr(addr)
	if err == nil && port == "" {
		port, err = normalizePort(defaultPort)
	}
	if err != nil {
		return "", fmt.Errorf("%w: %q", err, addr)
	}
	return net.JoinHostPort(host, port), nil
}

// splitAddr returns the normal form of a host and of its port, "" without one.
// All that is ever told to the registry about where a peer is goes through here,
// what was saved too: what it has once taken it takes again. The error is
// ErrAddress and does not name the address.
func splitAddr(addr string) (host, port string, err error) {
	addr = strings.TrimSpace(addr)
	host, port, err = net.SplitHostPort(addr)
	if err == nil {
		port, err = normalizePort(port)
	} else {
		// No port: all of it is the host, an IPv6 address perhaps in brackets.
		host, port, err = addr, "", nil
		if inner, ok := strings.CutPrefix(addr, "["); ok && strings.HasSuffix(inner, "]") {
			host = strings.TrimSuffix(inner, "]")
		}
	}
	if err != nil {
		return "", "", err
	}
	host, err = normalizeHost(host)
	return host, port, err
}

func normalizePort(port string) (string, error) {
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 {
		return "", fmt.Errorf("%w: no valid port", ErrAddress)
	}
	return strconv.FormatUint(n, 10), nil
}

// normalizeHost returns an IP address or a host name in its normal form. A name
// whose last label is a number is none: it is meant as an IPv4 address, and some
// resolvers make one of it (RFC 3696 section 2: no top-level domain is numeric).
func normalizeHost(host string) (string, error) {
	if ip, err := netip.ParseAddr(host); err == nil {
		ip = ip.Unmap()
		if ip.IsUnspecified() || ip.Zone() != "" {
			// A zone names an interface of one machine: no address to keep.
			return "", fmt.Errorf("%w: no address to connect to", ErrAddress)
		}
		return ip.String(), nil
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if len(host) > 253 {
		return "", fmt.Errorf("%w: no host", ErrAddress)
	}
	for label := range strings.SplitSeq(host, ".") {
		if label == "" || strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return "", fmt.Errorf("%w: no host", ErrAddress)
		}
	}
	if last := host[strings.LastIndexByte(host, '.')+1:]; strings.Trim(last, "0123456789") == "" {
		return "", fmt.Errorf("%w: no host", ErrAddress)
	}
	return host, nil
}

// banKey is what a ban of addr goes by. An IP address stands for the machine,
// whatever the port. Behind a loopback address there may be a tunnel to many
// machines, and a name may stand for many: there the port belongs to it. addr
// may lack a port; then it is all ports of the host. The error is ErrAddress.
func banKey(addr string) (string, error) {
	host, port, err := splitAddr(addr)
	if err != nil {
		return "", fmt.Errorf("%w: %q", err, addr)
	}
	ip, err := netip.ParseAddr(host)
	if port == "" || err == nil && !ip.IsLoopback() {
		return host, nil
	}
	return net.JoinHostPort(host, port), nil
}

// keyHost is the host in a ban key.
func keyHost(key string) string {
	if host, _, err := net.SplitHostPort(key); err == nil {
		return host
	}
	return key
}
