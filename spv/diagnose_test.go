package spv

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"dcrspv/spv/chain"
	"dcrspv/spv/internal/peer"
	"dcrspv/spv/internal/registry"

	"github.com/decred/dcrd/chaincfg/v3"
)

const (
	nodeA = "203.0.113.1:18555"
	nodeB = "203.0.113.2:18555"
)

// refused is a dial that nobody accepts.
func refused(addr string) error {
	return &net.OpError{Op: "dial", Net: "tcp", Err: fmt.Errorf("%s: %w", addr, os.NewSyscallError("connect", syscall.ECONNREFUSED))}
}

// wantDiagnosis checks what is said, that it is a line with a remedy, and from when on.
func wantDiagnosis(t *testing.T, d diagnosis, after time.Duration, cause, remedy string) {
	t.Helper()
	if !strings.Contains(d.cause, cause) || !strings.Contains(d.remedy, remedy) || d.remedy == "" || d.after != after {
		t.Errorf("after %v %q: %q; want after %v %q: %q", d.after, d.cause, d.remedy, after, cause, remedy)
	}
	if line := d.cause + d.remedy; strings.ContainsAny(line, "\n\r\t") || strings.Contains(line, "%!") {
		t.Errorf("not one line: %q", line)
	}
}

// What an error says about the only peer that may be used.
// Rule 24.
func TestDiagnoseTheOnlyPeer(t *testing.T) {
	only := nodeA + ", the only peer, "
	protocol := func(err error) error { return fmt.Errorf("%w: %w", peer.ErrProtocol, err) }
	for _, c := range []struct {
		err           error
		met           bool // the handshake was done
		after         time.Duration
		cause, remedy string
	}{
		{protocol(peer.ErrWebServer), false, 0, only + "answers like a web server", "log in if this network asks"},
		{protocol(peer.NetworkError("mainnet")), false, 0, only + "is a node of mainnet, not of simnet", "network mainnet"},
		{protocol(peer.ErrNotDecred), false, 0, only + "is not a Decred node", "port 18555"},
		{peer.ErrSelf, false, 0, only + "is this program", "another node"},
		{fmt.Errorf("%w: 6", peer.ErrVersion), false, 0, only + "is too old: protocol version too old: 6", "update"},
		{peer.ErrServices, false, 0, only + "is not a full node", "full node"},
		{refused(nodeA), false, troubleAfter, only + "accepts no connection", "start the node"},
		{context.DeadlineExceeded, false, troubleAfter, only + "does not answer", "port 18555"},
		{fmt.Errorf("%w: handshake", peer.ErrTimeout), false, troubleAfter, only + "does not answer", "check the address"},
		{fmt.Errorf("%w by the remote", peer.ErrClosed), false, troubleAfter, only + "hangs up before", "its log"},
		{fmt.Errorf("%w by the remote", peer.ErrClosed), true, troubleAfter, only + "has hung up", "its log"},
		{&net.DNSError{Err: "no such host", Name: "node.example"}, false, troubleAfter, "can't be resolved", "check the name"},
		{syscall.ENETUNREACH, false, troubleAfter, "no way to " + nodeA, "online"},
		{fmt.Errorf("proxy: %w", proxyError{"127.0.0.1:9050", refused("there")}), false, troubleAfter, "the proxy at 127.0.0.1:9050 does not work: dial", "start it"},
		{lagError(100, 5000), false, troubleAfter, only + "lags behind: at block 100, 4900 behind", "if simnet was begun anew, this data directory is of the chain before: delete /data/chain.db"},
		{chain.ErrLowWork, true, troubleAfter, "less work than simnet is known to have", "wait"},
		{fmt.Errorf("%w: %w", registry.ErrUseless, peer.ErrStalled), true, muteAfter, "nothing comes from " + nodeA, "another node"},
		{io.ErrNoProgress, false, troubleAfter, only + "can't be used: multiple Read", "another node"},
	} {
		s := situation{params: chaincfg.SimNetParams(), file: "/data/chain.db", chosen: []string{nodeA}}
		if d := s.diagnose(); d != (diagnosis{}) {
			t.Errorf("before the first dial has ended: %+v", d)
		}
		s.failures = []failure{{addr: nodeB, err: errors.New("of no matter")}, {addr: nodeA, err: c.err, dialing: !c.met}}
		d := s.diagnose()
		wantDiagnosis(t, d, c.after, c.cause, c.remedy)
		if d.who != nodeA {
			t.Errorf("%v is about %q", c.err, d.who)
		}
	}
}

// What this computer has not enough of is said of no peer, whoever was dialed last, and
// whether peers are given or found.
// Rule 24.
func TestDiagnoseOwnLimit(t *testing.T) {
	limit := fmt.Errorf("%w: %w", registry.ErrOurs, &net.OpError{Op: "dial", Err: os.NewSyscallError("socket", syscall.EMFILE)})
	for _, s := range []situation{
		{chosen: []string{nodeA}, failures: []failure{{addr: nodeA, err: limit}}},
		{chosen: []string{nodeA, nodeB}, failures: []failure{{addr: nodeA, err: refused(nodeA)}, {addr: nodeB, err: limit}}},
		{failures: []failure{{addr: nodeA, err: refused(nodeA)}, {addr: nodeB, err: refused(nodeB)}, {addr: nodeA, err: limit}}},
		{seeding: limit},
	} {
		s.params = chaincfg.SimNetParams()
		d := s.diagnose()
		wantDiagnosis(t, d, troubleAfter, "this computer can't open a connection: too many open files", "ulimit -n")
		if d.who != "" || strings.Contains(d.cause, nodeA) {
			t.Errorf("%+v", d)
		}
	}
}

// A ban is told with its reason, in an earlier run too: then nobody is dialed and
// nothing fails.
// Rules 23 and 24.
func TestDiagnoseBan(t *testing.T) {
	s := situation{params: chaincfg.SimNetParams(), chosen: []string{nodeA}, bans: map[string]string{nodeA: "until 2026-03-01 12:00:00 UTC: false filter"}}
	wantDiagnosis(t, s.diagnose(), 0, nodeA+", the only peer, is banned until 2026-03-01 12:00:00 UTC: false filter", "lift the ban")
}

// Of several peers the most telling one is an example for all, once something is
// known of each.
func TestDiagnoseSeveralPeers(t *testing.T) {
	s := situation{params: chaincfg.MainNetParams(), chosen: []string{nodeA, nodeB}}
	s.failures = []failure{{addr: nodeA, err: refused(nodeA), dialing: true}}
	if d := s.diagnose(); d != (diagnosis{}) {
		t.Errorf("one of two: %+v", d)
	}
	s.failures = append(s.failures, failure{addr: nodeB, err: peer.ErrWebServer})
	d := s.diagnose()
	wantDiagnosis(t, d, troubleAfter, "none of the 2 peers can be used; "+nodeB+" answers like a web server", "web page")
	s.failures[0].err = lagError(5, 50)
	s.failures[1].err = lagError(6, 50)
	wantDiagnosis(t, s.diagnose(), troubleAfter, nodeA+" lags behind", "wait until it has synced") // mainnet is not begun anew
	if d.who != "" {
		t.Errorf("about %q", d.who)
	}
}

// Peers that are there and of no use.
func TestDiagnoseConnected(t *testing.T) {
	fork := uint32(7)
	s := situation{params: chaincfg.SimNetParams(), file: "/data/chain.db", chosen: []string{nodeA}, connected: []string{nodeA}, waiting: "fetching headers, 5 of 9"}
	wantDiagnosis(t, s.diagnose(), muteAfter, "nothing comes from "+nodeA+", the only peer, (fetching headers, 5 of 9)", "connect to another node")
	s.poor = true
	wantDiagnosis(t, s.diagnose(), muteAfter, "less work than simnet is known to have", "wait until it has synced")
	s.fork = &fork
	wantDiagnosis(t, s.diagnose(), muteAfter, "parts from the stored one after block 7", "delete /data/chain.db")
	s.params = chaincfg.MainNetParams()
	wantDiagnosis(t, s.diagnose(), muteAfter, "parts from the stored one after block 7", "connect to another node")
	s = situation{params: chaincfg.MainNetParams(), connected: []string{nodeA, nodeB}}
	wantDiagnosis(t, s.diagnose(), muteAfter, "nothing comes from the 2 peers", "others are looked for")
}

// Peers that are found: what most addresses say, or the seeder if that tells more.
func TestDiagnoseSearch(t *testing.T) {
	s := situation{params: chaincfg.MainNetParams()}
	if d := s.diagnose(); d != (diagnosis{}) {
		t.Errorf("at the start: %+v", d)
	}
	s.seeding = &net.DNSError{Err: "server misbehaving", Name: "seed.example"}
	wantDiagnosis(t, s.diagnose(), troubleAfter, "no peer is found; the name of the seeder can't be resolved", "online")
	s.seeding = &tls.CertificateVerificationError{Err: errors.New("unknown authority")}
	wantDiagnosis(t, s.diagnose(), troubleAfter, "the seeder does not prove to be itself", "log in")

	s.seeding = fmt.Errorf("get: %w", http.ErrSchemeMismatch)
	wantDiagnosis(t, s.diagnose(), troubleAfter, "the seeder answers without TLS", "log in")

	s.failures = []failure{
		{addr: nodeA, err: context.DeadlineExceeded}, {addr: nodeB, err: peer.ErrWebServer}, {addr: "203.0.113.3:9108", err: context.DeadlineExceeded},
	}
	wantDiagnosis(t, s.diagnose(), troubleAfter, "the seeder answers without TLS", "log in")
	s.seeding = nil
	d := s.diagnose()
	wantDiagnosis(t, d, searchTime, "none of 3 addresses can be used, for example: 203.0.113.3:9108 does not answer", "port 9108")
	if d.who != "" {
		t.Errorf("about %q", d.who)
	}
	for i := range s.failures {
		s.failures[i].err = peer.ErrWebServer
	}
	wantDiagnosis(t, s.diagnose(), troubleAfter, "answers like a web server", "log in")

	s = situation{params: chaincfg.SimNetParams()}
	wantDiagnosis(t, s.diagnose(), 0, "no peer is known", "connect to a node of simnet")
	s.known = 1
	if d := s.diagnose(); d != (diagnosis{}) {
		t.Errorf("one is known: %+v", d)
	}
}
