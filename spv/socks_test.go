package spv_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"dcrspv/spv"
)

// socksServer is a SOCKS5 proxy that connects nobody: it notes what it is asked
// for and answers with a reply code. After 0 (granted) it echoes.
type socksServer struct {
	addr  string
	reply byte
	noted chan socksRequest
}

type socksRequest struct {
	methods        []byte
	user, password string
	addrType       byte
	host           string
	port           uint16
}

const (
	socksIPv4, socksName, socksIPv6 = 1, 3, 4

	socksGranted, socksNotAllowed, socksUnreachable = 0, 2, 4
	socksMute                                       = 0xff // never answers
)

func newSocksServer(t *testing.T, reply byte) *socksServer {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &socksServer{addr: l.Addr().String(), reply: reply, noted: make(chan socksRequest, 16)}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { conn.Close() })
			go s.serve(conn)
		}
	}()
	t.Cleanup(func() { l.Close() })
	return s
}

// serve answers one client, which is RFC 1928 with RFC 1929 for the password.
func (s *socksServer) serve(conn net.Conn) {
	read := func(n int) []byte {
		b := make([]byte, n)
		io.ReadFull(conn, b)
		return b
	}
	var req socksRequest
	req.methods = read(int(read(2)[1]))
	conn.Write([]byte{5, 2}) // Tor prefers the password too, when it is offered
	req.user = string(read(int(read(2)[1])))
	req.password = string(read(int(read(1)[0])))
	conn.Write([]byte{1, 0})
	req.addrType = read(4)[3]
	switch req.addrType {
	case socksIPv4:
		req.host = net.IP(read(4)).String()
	case socksIPv6:
		req.host = net.IP(read(16)).String()
	case socksName:
		req.host = string(read(int(read(1)[0])))
	}
	req.port = binary.BigEndian.Uint16(read(2))
	s.noted <- req
	if s.reply == socksMute {
		return
	}
	conn.Write([]byte{5, s.reply, 0, socksIPv4, 0, 0, 0, 0, 0, 0})
	io.Copy(conn, conn)
}

func socksDial(t *testing.T, proxy string) spv.DialFunc {
	dial, err := spv.SOCKS5(proxy)
	if err != nil {
		t.Fatal(err)
	}
	return dial
}

// noLookups fails the test if a name is looked up.
func noLookups(t *testing.T) {
	was := net.DefaultResolver
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(_ context.Context, _, addr string) (net.Conn, error) {
		t.Errorf("a name server was asked: %s", addr)
		return nil, errors.New("no lookups")
	}}
	t.Cleanup(func() { net.DefaultResolver = was })
}

// The proxy gets names as they are, and each connection shows credentials of
// its own.
func TestSOCKS5NamesAreLeftToTheProxy(t *testing.T) {
	noLookups(t)
	s := newSocksServer(t, socksGranted)
	dial := socksDial(t, s.addr)
	const onion = "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion"
	seen := make(map[string]bool)
	for _, c := range []struct {
		host     string
		addrType byte
	}{
		{"node.example", socksName}, {"node.example", socksName}, {onion, socksName},
		{"192.0.2.7", socksIPv4}, {"2001:db8::7", socksIPv6},
	} {
		conn, err := dial(t.Context(), "tcp", net.JoinHostPort(c.host, "9108"))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(conn, "hello")
		echo := make([]byte, 5)
		if _, err := io.ReadFull(conn, echo); err != nil || string(echo) != "hello" {
			t.Errorf("read %q through the proxy, %v", echo, err)
		}
		conn.Close()
		req := <-s.noted
		if req.host != c.host || req.addrType != c.addrType || req.port != 9108 {
			t.Errorf("asked for %s (type %d), port %d; want %s (type %d)",
				req.host, req.addrType, req.port, c.host, c.addrType)
		}
		if len(req.user) < 20 || len(req.password) < 20 || seen[req.user] || seen[req.password] {
			t.Errorf("user %q, password %q are short or used before", req.user, req.password)
		}
		seen[req.user], seen[req.password] = true, true
	}
}

func TestSOCKS5ErrorsNameTheProxy(t *testing.T) {
	noLookups(t)
	refusing := newSocksServer(t, socksUnreachable)
	// A port that is taken, so that nobody comes to listen at it meanwhile, and at which
	// nobody listens: that of the near end of a connection.
	taken, err := net.Dial("tcp", refusing.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	web, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer web.Close()
	go func() {
		if conn, err := web.Accept(); err == nil {
			io.ReadFull(conn, make([]byte, 3)) // or what is written may be lost
			fmt.Fprint(conn, "HTTP/1.1 400 Bad Request\r\n\r\n")
			conn.Close()
		}
	}()
	for _, c := range []struct {
		proxy, want string
		faulty      bool // it is the proxy's fault
	}{
		{refusing.addr, "host unreachable", false},
		{newSocksServer(t, socksNotAllowed).addr, "not allowed", true},
		{taken.LocalAddr().String(), "refused", true},
		{web.Addr().String(), "version", true},
	} {
		_, err := socksDial(t, c.proxy)(t.Context(), "tcp", "node.example:9108")
		if err == nil {
			t.Fatal("connected")
		}
		for _, part := range []string{"proxy " + c.proxy, "node.example:9108", c.want} {
			if strings.Count(err.Error(), part) != 1 {
				t.Errorf("error is %q, want %q in it once", err, part)
			}
		}
		if errors.Is(err, spv.ErrProxy) != c.faulty {
			t.Errorf("%v: is ErrProxy is not %v", err, c.faulty)
		}
	}
}

// Rule 9.
func TestSOCKS5DialEndsWithItsContext(t *testing.T) {
	s := newSocksServer(t, socksMute)
	reason := errors.New("no longer wanted")
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() {
		<-s.noted // the dial waits for the answer of the proxy
		cancel(reason)
	}()
	if _, err := socksDial(t, s.addr)(ctx, "tcp", "node.example:9108"); !errors.Is(err, reason) {
		t.Errorf("error is %v, want %v", err, reason)
	}

	ctx, stop := context.WithTimeout(t.Context(), 1)
	defer stop()
	if _, err := socksDial(t, s.addr)(ctx, "tcp", "node.example:9108"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error is %v, want %v", err, context.DeadlineExceeded)
	}
}

func TestSOCKS5BadAddress(t *testing.T) {
	for _, addr := range []string{
		"", "127.0.0.1", ":9050", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:tor",
		"socks5://127.0.0.1:9050", "user@127.0.0.1:9050", "::1:9050", "a b:9050",
	} {
		if _, err := spv.SOCKS5(addr); !errors.Is(err, spv.ErrConfig) {
			t.Errorf("%q: error is %v, want %v", addr, err, spv.ErrConfig)
		}
	}
	for _, addr := range []string{"127.0.0.1:9050", "[::1]:9050", "tor:9050"} {
		if _, err := spv.SOCKS5(addr); err != nil {
			t.Errorf("%q: %v", addr, err)
		}
	}
	dial := socksDial(t, newSocksServer(t, socksGranted).addr)
	for _, target := range []string{"node.example", "node.example:0", strings.Repeat("x", 256) + ":1"} {
		if _, err := dial(t.Context(), "tcp", target); err == nil {
			t.Errorf("%q was dialed", target)
		}
	}
}
