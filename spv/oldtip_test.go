package spv

import (
	"strings"
	"testing"
	"time"

	"github.com/decred/dcrd/chaincfg/v3"
)

// On mainnet three hours are old, on the test network a day, and on networks of one's own
// nothing is, however long it was.
func TestWhatTipIsOld(t *testing.T) {
	const hour, year = time.Hour, 365 * 24 * time.Hour
	now := time.Now()
	for _, c := range []struct {
		params *chaincfg.Params
		age    time.Duration
		said   string
	}{
		{chaincfg.MainNetParams(), -2 * hour, ""},
		{chaincfg.MainNetParams(), 3*hour - time.Second, ""},
		{chaincfg.MainNetParams(), 3 * hour, "3h00m old"},
		{chaincfg.MainNetParams(), 47*hour + 59*time.Minute, "47h59m old"},
		{chaincfg.MainNetParams(), 48 * hour, "2 days old"},
		{chaincfg.MainNetParams(), 10 * year, "3650 days old"},
		{chaincfg.TestNet3Params(), 24*hour - time.Second, ""},
		{chaincfg.TestNet3Params(), 24 * hour, "24h00m old"},
		{chaincfg.SimNetParams(), 10 * year, ""},
		{chaincfg.RegNetParams(), 10 * year, ""},
	} {
		said := oldTip(c.params, now.Round(0).Add(-c.age), now)
		if said.IsZero() != (c.said == "") || !strings.Contains(said.Cause, c.said) {
			t.Errorf("%s, %v: %+v", c.params.Name, c.age, said)
		}
		if c.said != "" && (said.Remedy == "" || !said.Since.Equal(now)) {
			t.Errorf("%+v", said)
		}
	}
}

// It is said from when it is first seen on, and only while nobody is ahead.
// Rule 24.
func TestOldTipIsSaidSinceThen(t *testing.T) {
	e, sessions := stillEngine(t, 100, 100)
	sessions[0].peer = clockSource{}
	e.cfg.Params = chaincfg.MainNetParams()
	tip := e.now.Add(-4 * time.Hour)
	see := func(phase Phase) Trouble { return e.findOldTip(phase, tip) }
	began := e.now
	for _, phase := range []Phase{Filters, Scanning, InSync} {
		if said := see(phase); said.Remedy == "" || !said.Since.Equal(began) {
			t.Errorf("%s: %+v", phase, said)
		}
		e.now = e.now.Add(time.Hour)
	}
	for _, phase := range []Phase{Connecting, Headers} {
		if said := see(phase); !said.IsZero() {
			t.Errorf("%s: %+v", phase, said)
		}
	}
	if said := see(InSync); !said.Since.Equal(e.now) {
		t.Errorf("again: %+v", said)
	}
}
