package spv

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"

	"golang.org/x/net/proxy"
)

// SOCKS5 returns a DialFunc that opens connections through the SOCKS5 proxy at
// host:port, such as Tor's. The proxy looks up host names, .onion ones too;
// nothing is ever looked up here but the name of the proxy itself. A malformed
// address is ErrConfig; whether a proxy is there shows with the first dial.
//
// Each dial shows the proxy a fresh random user name and password. Tor gives
// connections with different ones different circuits (IsolateSOCKSAuth, its
// default), so that no exit node sees all peers of a client. A proxy that wants
// no password never sees them.
//
// A dial ends with its context, during the talk with the proxy too. Its errors
// name the proxy; if it is the proxy that does not work, they are ErrProxy.
func SOCKS5(addr string) (DialFunc, error) {
	host, port, err := net.SplitHostPort(addr)
	n, portErr := strconv.ParseUint(port, 10, 16)
	if err != nil || portErr != nil || n == 0 || host == "" || strings.ContainsAny(host, "/@ ") {
		return nil, fmt.Errorf("%w: proxy %q is not host:port", ErrConfig, addr)
	}
	return func(ctx context.Context, network, target string) (net.Conn, error) {
		auth := &proxy.Auth{User: rand.Text(), Password: rand.Text()}
		d, err := proxy.SOCKS5("tcp", addr, auth, proxy.Direct)
		if err != nil {
			return nil, fmt.Errorf("proxy %s: %w", addr, err)
		}
		// The dialer of package proxy is a ContextDialer by its documentation.
		conn, err := d.(proxy.ContextDialer).DialContext(ctx, network, target)
		if err != nil {
			return nil, fmt.Errorf("proxy %s: %s: %w", addr, target, socksError(ctx, addr, err))
		}
		return conn, nil
	}, nil
}

// ErrProxy is a dial that got no answer about its target from the proxy: nothing
// listens there, it is no SOCKS5 proxy, or it lets nobody through.
var ErrProxy = errors.New("the proxy does not work")

// proxyError is an ErrProxy: why the proxy at an address does not work.
type proxyError struct {
	addr string
	err  error
}

func (e proxyError) Error() string        { return e.err.Error() }
func (e proxyError) Is(target error) bool { return target == ErrProxy }
func (e proxyError) Unwrap() error        { return e.err }

// aboutTarget returns what a proxy has answered about the target of a dial. Package
// proxy tells it by the text alone. The first two answers of RFC 1928, 6 are about
// the proxy itself; Tor gives the first one while it is not connected.
func aboutTarget(err error) (string, bool) {
	reply, ok := strings.CutPrefix(err.Error(), "unknown error ")
	return reply, ok && reply != "general SOCKS server failure" && reply != "connection not allowed by ruleset"
}

// socksError returns the cause of a failed dial: the end of ctx, which shows
// itself as an expired deadline of the connection, or what the proxy said.
func socksError(ctx context.Context, proxy string, err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		<-ctx.Done() // nothing else sets deadlines
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	// Around it are both addresses, which are in our error already.
	var op *net.OpError
	if errors.As(err, &op) {
		err = op.Err
	}
	if reply, ok := aboutTarget(err); ok {
		return errors.New(reply)
	}
	return proxyError{proxy, err}
}
