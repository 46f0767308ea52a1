package main

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"dcrspv/spv/spvtest"

	"github.com/decred/slog"
)

func TestParseLevels(t *testing.T) {
	all := func(l slog.Level) levels {
		m := make(levels)
		for _, name := range subsystems {
			m[name] = l
		}
		return m
	}
	with := func(l levels, name string, level slog.Level) levels {
		l[name] = level
		return l
	}
	for spec, want := range map[string]levels{
		"":                       all(slog.LevelWarn),
		"info":                   all(slog.LevelInfo),
		"off":                    all(slog.LevelOff),
		"SYNC=debug":             with(all(slog.LevelWarn), "SYNC", slog.LevelDebug),
		"sync=debug, PEER=trace": with(with(all(slog.LevelWarn), "SYNC", slog.LevelDebug), "PEER", slog.LevelTrace),
		"PEER=trace,error":       with(all(slog.LevelError), "PEER", slog.LevelTrace),
	} {
		got, err := parseLevels(spec, slog.LevelWarn)
		if err != nil {
			t.Errorf("%q: %v", spec, err)
		}
		for name := range want {
			if got[name] != want[name] {
				t.Errorf("%q: %s is %v, want %v", spec, name, got[name], want[name])
			}
		}
	}
	for _, spec := range []string{"loud", "SYNC=", "SYNC=loud", "NONE=info", "=info"} {
		if _, err := parseLevels(spec, slog.LevelWarn); err == nil || userError(err).status != statusUsage {
			t.Errorf("%q: error %v", spec, err)
		}
	}
}

func TestLoggersKeepToTheirLevel(t *testing.T) {
	l, err := parseLevels("warn,PEER=debug", slog.LevelInfo)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	log := l.loggers(&out)
	log("SYNC").Info("not this")
	log("PEER").Debug("but this")
	if s := out.String(); strings.Contains(s, "not") || !strings.Contains(s, "PEER: but this") {
		t.Fatal(s)
	}
}

// logLine is a line of a subsystem.
var logLine = regexp.MustCompile(`(?m)^\S+ \S+ \[[A-Z]{3}\] ([A-Z]{4}): (.*)$`)

// liar adds a peer that claims more than the others and proves with the first
// header of that, whenever it is asked, that it lies.
func (n *testNetwork) liar() (addr string) {
	longer := n.demo.chain.Fork(n.demo.chain.Height())
	longer.Mine(10)
	n.addPeer(spvtest.NewPeer(longer, spvtest.Behaviour{
		BadHeaders: spvtest.HeadersWrongBits, BadHeaderAt: n.demo.chain.Height() + 1,
	}))
	return n.addrs[len(n.addrs)-1]
}

// TestEachSubsystemHasItsLevel: every one of them can be turned on alone, and
// then has something to say about a sync.
func TestEachSubsystemHasItsLevel(t *testing.T) {
	for _, name := range subsystems {
		t.Run(name, func(t *testing.T) {
			inVirtualTime(t, func(t *testing.T) {
				n := newVirtualNetwork(t, 2)
				n.liar()
				n.dcrspv("watch", n.demo.xpub)
				r := n.run("sync", "--log-level", "off,"+name+"=trace")
				lines := logLine.FindAllStringSubmatch(r.stderr, -1)
				if r.status != statusDone || len(lines) == 0 {
					t.Errorf("status %d: %s", r.status, r.stderr)
				}
				for _, line := range lines {
					if line[1] != name {
						t.Errorf("%s", line[0])
					}
				}
				quiet := n.run("sync", "--log-level", "trace,"+name+"=off")
				if strings.Contains(quiet.stderr, "] "+name+": ") || !logLine.MatchString(quiet.stderr) {
					t.Errorf("%s is turned off: %s", name, quiet.stderr)
				}
			})
		})
	}
}

// TestDisconnectsAreExplained: each end of a connection is one line of PEER,
// with a reason in words.
// Rule 14.
func TestDisconnectsAreExplained(t *testing.T) {
	inVirtualTime(t, func(t *testing.T) {
		n := newVirtualNetwork(t, 2)
		liar := n.liar()
		run := n.start("run", "--log-level", "off,PEER=info")
		run.stderr.wait(t, liar+" disconnected: ", run.ended)
		run.stderr.wait(t, fmt.Sprintf("synced      block %d", n.demo.chain.Height()), run.ended)
		n.peers[0].Close()
		run.stderr.wait(t, n.addrs[0]+" disconnected: ", run.ended)
		if status := run.interrupt(); status != statusDone {
			t.Fatalf("status %d: %s", status, run.stderr)
		}
		reasons := make(map[string][]string)
		for _, line := range logLine.FindAllStringSubmatch(run.stderr.String(), -1) {
			if addr, reason, ok := strings.Cut(line[2], " disconnected: "); ok {
				reasons[addr] = append(reasons[addr], reason)
			}
		}
		for addr, words := range map[string]string{n.addrs[0]: "connection closed", n.addrs[1]: "", liar: "wrong difficulty"} {
			if got := reasons[addr]; len(got) != 1 || !strings.Contains(got[0], words) {
				t.Errorf("%s left for %q, want one reason with %q\n%s", addr, got, words, run.stderr)
			}
		}
	})
}
