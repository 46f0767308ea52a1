package main

import (
	"context"
	"io"
	"net"
	"strings"
	"testing"

	"dcrspv/spv/spvtest"

	"github.com/decred/dcrd/wire"
)

// portal stands in for the network: whoever is dialed, it asks for a log-in.
func portal(context.Context, string, string) (net.Conn, error) {
	near, far := net.Pipe()
	go func() {
		defer far.Close()
		go io.Copy(io.Discard, far)
		io.WriteString(far, "HTTP/1.1 302 Found\r\nLocation: http://portal.example/\r\n\r\n")
	}()
	return near, nil
}

// TestStuckOnTheOnlyPeer: sync and run say what is wrong and what to do, in one
// line and once; the error of the timeout says it too; status shows it until a
// sync succeeds.
// Rule 24.
func TestStuckOnTheOnlyPeer(t *testing.T) {
	for name, c := range map[string]struct {
		behaviour spvtest.Behaviour
		portal    bool
		parts     []string
	}{
		"captive portal":  {spvtest.Behaviour{}, true, []string{"the only peer", "like a web server", "log in"}},
		"another network": {spvtest.Behaviour{Magic: wire.MainNet}, false, []string{"the only peer", "a node of mainnet, not of simnet", "connect to a node of simnet"}},
		"nobody":          {spvtest.Behaviour{RefuseConnections: true}, false, []string{"the only peer", "accepts no connection", "start the node"}},
		"mute":            {spvtest.Behaviour{Silent: map[string]bool{wire.CmdGetHeaders: true}}, false, []string{"nothing comes from", "connect to another node"}},
	} {
		t.Run(name, func(t *testing.T) {
			inVirtualTime(t, func(t *testing.T) {
				n := newVirtualNetwork(t, 1)
				n.peers[0].SetBehaviour(c.behaviour)
				run := func(args ...string) result {
					p, stdout, stderr := n.program()
					if c.portal {
						p.dial = portal
					}
					return result{p.run(n.args(args...)), stdout.String(), stderr.String()}
				}
				for _, command := range []string{"sync", "run"} {
					r := run(command, "--timeout", "20m")
					r.wantFailure(t, statusNotSynced, append(c.parts, n.addrs[0])...)
					var said []string
					for line := range strings.Lines(r.stderr) {
						if strings.HasPrefix(line, "stuck ") {
							said = append(said, line)
						}
					}
					if len(said) != 1 {
						t.Fatalf("%s says it %d times: %s", command, len(said), r.stderr)
					}
					for _, part := range append(c.parts, n.addrs[0]) {
						if !strings.Contains(said[0], part) {
							t.Errorf("%s: %q does not say %q", command, said[0], part)
						}
					}
				}
				text := run("status").stdout
				for _, part := range append(c.parts, "not synced  2026-03-01 12:") {
					if !strings.Contains(text, part) {
						t.Errorf("status does not say %q: %s", part, text)
					}
				}
				var doc statusDoc
				n.json(&doc, "status")
				if doc.Trouble == nil || !strings.Contains(doc.Trouble.Cause, c.parts[0]) || doc.Trouble.Remedy == "" || doc.Trouble.Since < testNow.Unix() {
					t.Errorf("%+v", doc.Trouble)
				}

				n.peers[0].SetBehaviour(spvtest.Behaviour{})
				n.dcrspv("sync")
				if text := n.dcrspv("status"); strings.Contains(text, "not synced") {
					t.Errorf("after a sync: %s", text)
				}
				if n.json(&doc, "status"); doc.Trouble != nil {
					t.Errorf("after a sync: %+v", doc.Trouble)
				}
			})
		})
	}
}
