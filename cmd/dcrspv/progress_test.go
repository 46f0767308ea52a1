package main

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"dcrspv/spv"
)

func block(height uint32) spv.BlockInfo { return spv.BlockInfo{Height: height} }

func TestProgressLine(t *testing.T) {
	for want, st := range map[string]spv.Status{
		"connecting  no peer yet":                {Phase: spv.Connecting},
		"connecting  127.0.0.1:1 refused ?":      {Phase: spv.Connecting, Reason: "127.0.0.1:1\nrefused \x1b?"},
		"headers     0 of 0, 0 %, 1 peer":        {Phase: spv.Headers, Peers: 1},
		"headers     500 of 1000, 50 %, 2 peers": {Phase: spv.Headers, Tip: block(500), Target: 1000, Peers: 2},
		"headers     999 of 1000, 99 %, 1 peer":  {Phase: spv.Headers, Tip: block(999), Target: 1000, Peers: 1, Rate: math.Inf(1)},
		"filters     0 of 1000, 0 %, 8 peers":    {Phase: spv.Filters, Tip: block(1000), Target: 1000, Peers: 8},
		"filters     101 of 501, 20 %, 123/s, 8 peers": {
			Phase: spv.Filters, Tip: block(1000), Target: 1000, Peers: 8, Rate: 123.4,
			Filters: spv.Span{From: 500, Through: 600, Any: true},
		},
		"scan        1 of 1001, 0 %, 5/s, 3m20s left, 8 peers": {
			Phase: spv.Scanning, Tip: block(1000), Target: 1000, Peers: 8, Rate: 5, ETA: 200 * time.Second,
			Unscanned: 1000,
		},
		"synced      block 1000, 8 peers": {Phase: spv.InSync, Synced: true, Tip: block(1000), Target: 1000, Peers: 8},
	} {
		if got := progressLine(st); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// TestProgressLines: without a terminal there is a line every few seconds while
// there is work, one when it is done, and one for each new block after that.
func TestProgressLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _, _ := testProgram(t)
		var out bytes.Buffer
		statuses := make(chan spv.Status)
		done := make(chan struct{})
		go func() {
			defer close(done)
			p.showProgress(&console{out: &out}, statuses)
		}()
		time.Sleep(50 * time.Millisecond) // no change comes at the moment of a line
		for i := range uint32(100) {      // ten seconds of headers
			statuses <- spv.Status{Phase: spv.Headers, Tip: block(i * 10), Target: 1000, Peers: 1}
			time.Sleep(100 * time.Millisecond)
		}
		synced := spv.Status{Phase: spv.InSync, Synced: true, Tip: block(1000), Target: 1000, Peers: 1}
		statuses <- synced
		statuses <- synced
		time.Sleep(time.Minute)
		synced.Tip = block(1001)
		statuses <- synced
		close(statuses)
		<-done
		want := "headers     390 of 1000, 39 %, 1 peer\n" +
			"headers     790 of 1000, 79 %, 1 peer\n" +
			"synced      block 1000, 1 peer\n" +
			"synced      block 1001, 1 peer\n"
		if out.String() != want {
			t.Errorf("got\n%swant\n%s", out.String(), want)
		}
	})
}

// TestStuckIsSaidOnce: what is wrong is one line when it begins, and again only if
// it statuses or has been over. No progress is told meanwhile.
// Rule 24.
func TestStuckIsSaidOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _, _ := testProgram(t)
		var out bytes.Buffer
		statuses := make(chan spv.Status)
		done := make(chan struct{})
		go func() {
			defer close(done)
			p.showProgress(&console{out: &out}, statuses)
		}()
		for i, cause := range []string{"it\nrefuses", "it refuses no more", "", "it refuses no more"} {
			st := spv.Status{Phase: spv.Connecting, Reason: cause}
			if cause != "" {
				st.Trouble = spv.Trouble{Cause: cause, Remedy: "start it", Since: testNow.Add(time.Duration(i))}
			} else {
				st = spv.Status{Phase: spv.Headers, Tip: block(10), Target: 1000, Peers: 1}
			}
			for range 5 {
				statuses <- st
				time.Sleep(time.Second)
			}
		}
		close(statuses)
		<-done
		want := "stuck       it refuses: start it\n" +
			"stuck       it refuses no more: start it\n" +
			"headers     10 of 1000, 1 %, 1 peer\n" +
			"stuck       it refuses no more: start it\n"
		if out.String() != want {
			t.Errorf("got\n%swant\n%s", out.String(), want)
		}
	})
}

// TestOldTipIsSaidOnce: that the tip has become old while following is one line, and again
// only after a block that is not. That it was from the beginning is a warning of its own.
// Rule 24.
func TestOldTipIsSaidOnce(t *testing.T) {
	p, _, _ := testProgram(t)
	var out bytes.Buffer
	statuses := make(chan spv.Status)
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.showProgress(&console{out: &out}, statuses)
	}()
	for i, old := range []bool{true, true, false, true, true, false, true} {
		st := spv.Status{Phase: spv.InSync, Synced: true, Tip: block(7), Peers: 1}
		if old {
			st.OldTip = spv.Trouble{Cause: fmt.Sprintf("it is %dh old", i), Remedy: "look"}
		}
		statuses <- st
		st.Synced = false
		statuses <- st
	}
	close(statuses)
	<-done
	for _, line := range []string{"warning     tip: it is 3h old: look\n", "warning     tip: it is 6h old: look\n"} {
		if strings.Count(out.String(), line) != 1 || strings.Count(out.String(), "old") != 2 {
			t.Errorf("%q does not say %q", out.String(), line)
		}
	}
}

// TestLastProgressIsShown: whatever ends the sync is told, though the program that
// waited for it ends at once.
func TestLastProgressIsShown(t *testing.T) {
	p, _, _ := testProgram(t)
	var out bytes.Buffer
	statuses := make(chan spv.Status, 1)
	statuses <- spv.Status{Phase: spv.InSync, Synced: true, Tip: block(7), Target: 7, Peers: 1}
	close(statuses)
	p.showProgress(&console{out: &out}, statuses)
	if got := out.String(); got != "synced      block 7, 1 peer\n" {
		t.Fatalf("%q", got)
	}
}

// TestBars: on a terminal the three stages have bars, which stay as they were
// when it was done, and lines go above them.
func TestBars(t *testing.T) {
	var out bytes.Buffer
	con := &console{out: &out}
	b := newBars(con)
	for i := range uint32(11) {
		b.update(spv.Status{
			Phase: spv.Filters, Tip: block(i * 100), Target: 1000, Rate: 42,
			Filters: spv.Span{From: 0, Through: i * 50, Any: true},
		})
		con.printf("line %d", i)
	}
	b.stop()
	con.printf("after")
	text := out.String()
	for _, want := range []string{"headers", "filters", "scan", "1000/1000", "501/1001", "42/s", "line 0\n", "line 10\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not on the screen:\n%s", want, text)
		}
	}
	if !strings.HasSuffix(text, "after\n") {
		t.Errorf("lines after the bars are lost:\n%s", text)
	}
}

func TestStagesNeverOverflow(t *testing.T) {
	for _, s := range []spv.Span{{}, {From: 5, Through: 4, Any: true}, {From: 0, Through: 2000, Any: true}, {From: 1500, Through: 1500, Any: true}} {
		st := spv.Status{Phase: spv.Filters, Tip: block(1000), Target: 900, Filters: s, Unscanned: s.Through}
		for _, stage := range stages(st) {
			if stage.done > stage.total && stage.total != 0 {
				t.Errorf("%+v: %d of %d", s, stage.done, stage.total)
			}
		}
		for _, phase := range []spv.Phase{spv.Headers, spv.Filters, spv.Scanning, "other"} {
			st.Phase = phase
			if line := progressLine(st); strings.Contains(line, "NaN") || line == "" {
				t.Errorf("%q", line)
			}
		}
	}
}
