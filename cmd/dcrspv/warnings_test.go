package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"dcrspv/spv"
	"dcrspv/wallet"

	"github.com/decred/dcrd/chaincfg/v3"
)

// TestBirthdayAboveTheTip: nothing is to be looked at yet, so everything is in sync at
// once, and one line says so.
// Rule 26.
func TestBirthdayAboveTheTip(t *testing.T) {
	inVirtualTime(t, func(t *testing.T) {
		n := newVirtualNetwork(t, 2)
		tip := n.demo.chain.Height()
		above := fmt.Sprint(tip + 1000)
		n.dcrspv("watch", "--from", above, n.demo.xpub, n.demo.used[0])
		for name, args := range map[string][]string{
			"sync": {"sync"}, "birthday": {"sync", "--birthday", above}, "rescan": {"rescan"},
			"rescan from": {"rescan", "--from", above}, "rescan address": {"rescan", "--from", above, n.demo.used[1]},
			"rescan to": {"rescan", "--from", above, "--to", above, n.demo.used[1]},
		} {
			r := n.run(args...)
			if r.status != statusDone || strings.Count(r.stderr, "warning") != 1 || !strings.Contains(r.stderr, "begins at block "+above) {
				t.Errorf("%s: status %d: %s", name, r.status, r.stderr)
			}
			var doc rescanDoc
			n.json(&doc, args...)
			before := slices.Contains(args, n.demo.used[1]) // blocks before the range are tested
			if !doc.Synced || len(doc.Warnings) != 1 || (doc.Filters.From != nil || doc.Scanned.From != nil) != before || len(doc.History) != 0 {
				t.Errorf("%s: %+v", name, doc)
			}
		}
		run := n.start("run")
		run.stderr.wait(t, fmt.Sprintf("synced      block %d", tip), run.ended)
		run.stderr.wait(t, "warning     "+n.demo.xpub+": begins at block "+above, run.ended)
		if status := run.interrupt(); status != statusDone {
			t.Errorf("status %d: %s", status, run.stderr)
		}
		// Its own words are not repeated where the tip of the network is not known.
		var st statusDoc
		if n.json(&st, "status"); st.Warnings == nil || len(st.Warnings) != 0 {
			t.Errorf("%+v", st)
		}

		// What comes from there on counts.
		n.dcrspv("unwatch", n.demo.xpub, n.demo.used[0])
		n.dcrspv("watch", "--from", fmt.Sprint(tip+2), n.demo.used[0])
		n.dcrspv("sync")
		c := n.demo.chain.Fork(tip)
		_, script := n.script(n.demo.used[0])
		c.MineBlock(c.Pay(script, 1e8))
		c.MineBlock(c.Pay(script, 2e8))
		for _, p := range n.peers {
			p.SetChain(c)
		}
		r := n.run("sync")
		if r.status != statusDone || strings.Contains(r.stderr, "warning") {
			t.Errorf("status %d: %s", r.status, r.stderr)
		}
		if b := n.balance(); b.Total != 2e8 {
			t.Errorf("%+v", b)
		}
	})
}

// TestOldTipWarning: in sync at an old tip is a warning; status, which asks nobody, says
// how old it is by the clock.
// Rule 24.
func TestOldTipWarning(t *testing.T) {
	p, stdout, _ := testProgram(t)
	p.set.params = chaincfg.SimNetParams()
	w, err := wallet.Open(filepath.Join(t.TempDir(), "wallet.db"), p.set.params)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	st := spv.Status{Synced: true, OldTip: spv.Trouble{Cause: "the tip is old", Remedy: "look"}}
	docs, err := p.warnings(t.Context(), w, st)
	if want := (warningDoc{About: "tip", What: "the tip is old", Remedy: "look"}); err != nil || len(docs) != 1 || docs[0] != want {
		t.Errorf("%+v, %v", docs, err)
	}
	st.Synced = false
	if docs, err := p.warnings(t.Context(), w, st); err != nil || len(docs) != 0 {
		t.Errorf("%+v, %v", docs, err)
	}
	for age, want := range map[time.Duration]string{
		-time.Hour: "UTC", 59 * time.Minute: "UTC", time.Hour: "UTC: the tip is 1 hour old",
		47 * time.Hour: "UTC: the tip is 47 hours old", 400 * 24 * time.Hour: "UTC: the tip is 400 days old",
	} {
		stdout.Reset()
		err := p.printStatus(spv.Status{Tip: spv.BlockInfo{Height: 7, Time: testNow.Add(-age)}}, nil)
		if err != nil || !strings.Contains(stdout.String(), want+"\n") {
			t.Errorf("%v: %v: %s", age, err, stdout)
		}
	}
}

// TestGapWarnings: when the last address in use is near the edge of the gap, and when
// an account was watched too late, everything that tells of it says what to do.
// Rule 26.
func TestGapWarnings(t *testing.T) {
	inVirtualTime(t, func(t *testing.T) {
		n := newVirtualNetwork(t, 1)
		n.dcrspv("watch", "--gap", "40", n.demo.xpub)
		if r := n.run("sync"); r.status != statusDone || strings.Contains(r.stderr, "warning") {
			t.Errorf("status %d: %s", r.status, r.stderr)
		}
		var next addressDoc
		for range 40 {
			n.json(&next, "address", "--new")
		}
		tip := n.demo.chain.Height()
		c := n.demo.chain.Fork(tip)
		_, script := n.script(next.Address)
		c.MineBlock(c.Pay(script, 1e8))
		n.peers[0].SetChain(c)
		check := func(parts ...string) {
			t.Helper()
			var doc statusDoc
			n.json(&doc, "sync")
			if len(doc.Warnings) != 1 || doc.Warnings[0].About != n.demo.xpub {
				t.Fatalf("%+v", doc.Warnings)
			}
			said := doc.Warnings[0].String()
			for _, part := range parts {
				if !strings.Contains(said, part) {
					t.Errorf("%q does not say %q", said, part)
				}
			}
			var watched watchDoc
			if n.json(&watched, "watch"); watched.Watched[0].Warning != said {
				t.Errorf("%+v", watched)
			}
			var stored statusDoc
			if n.json(&stored, "status"); len(stored.Warnings) != 1 || stored.Warnings[0] != doc.Warnings[0] {
				t.Errorf("%+v", stored)
			}
			for _, command := range []string{"sync", "watch", "status"} {
				r := n.run(command)
				if text := r.stderr + r.stdout; strings.Count(text, "warning") != 1 || !strings.Contains(text, said) {
					t.Errorf("%s: %s", command, text)
				}
			}
		}
		check("external address", "39 unused", "--gap 80")

		n.dcrspv("unwatch", n.demo.xpub)
		n.dcrspv("watch", "--gap", "60", "--from", fmt.Sprint(tip+1), n.demo.xpub)
		check(fmt.Sprintf("since block %d", tip+1), "external", "--from")

		n.dcrspv("unwatch", n.demo.xpub)
		n.dcrspv("watch", "--gap", "100", n.demo.xpub)
		check("39 unused", "usual gap of 20", "keep the gap, 100,")
	})
}
