package peer

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/wire"
)

// listLength is the length of a message with n entries.
func listLength(n, entry int) int {
	if n < 253 {
		return 1 + n*entry
	}
	return 3 + n*entry
}

// The table in the package's documentation is the one in use.
func TestDocumentedLimits(t *testing.T) {
	source, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(strings.ReplaceAll(string(source), ",", ""), "a minute\n")
	inv, headers := limits[classInv], limits[classHeaders]
	for i, c := range []struct {
		words string
		rate  rate
		unit  float64
		same  []rate
	}{
		{"inv messages", inv.messages, 1, nil},
		{"and these", inv.sudden, 1, nil},
		{"items", inv.items, 1, nil},
		{"headers messages", headers.messages, 1, nil},
		{"and these", headers.sudden, 1, nil},
		{"headers", headers.items, 1, nil},
		{"getdata items", limits[classGetData].items, 1, nil},
		{"notfound items", limits[classNotFound].items, 1, nil},
		{"ping messages", limits[classPing].messages, 1, nil},
		{"getheaders messages", limits[classGetHeaders].messages, 1, nil},
		{"version verack getinitstate", limits[classHello].messages, 1, nil},
		{"tx messages", limits[classTx].messages, 1, nil},
		{"block cfilterv2 cfiltersv2", limits[classBlock].messages, 1,
			[]rate{limits[classFilter].messages, limits[classBatch].messages}},
		{"pong addr addrv2", limits[classPong].messages, 1, []rate{limits[classAddr].messages}},
		{"all others messages", limits[classOther].messages, 1, nil},
		{"skipped bytes", skippedBytes, 1 << 20, nil},
		{"asked for bytes of tx", txBytes, 1 << 20, nil},
		{"asked for bytes of mix", mixBytes, 1 << 20, nil},
	} {
		line := strings.Join(strings.Fields(strings.ReplaceAll(strings.Split(table, "\n")[i], "MiB", "")), " ")
		want := fmt.Sprintf("// %s %.0f %.0f", c.words, c.rate.burst/c.unit, c.rate.perMinute/c.unit)
		if c.rate.first > 0 {
			want += fmt.Sprintf(" %.0f at first", c.rate.first)
		}
		if !strings.HasPrefix(line+" ", want+" ") {
			t.Errorf("documented: %q, in use: %q", line, want)
		}
		for _, r := range c.same {
			if r != c.rate {
				t.Errorf("%s: %v and %v", c.words, r, c.rate)
			}
		}
	}
}

// Whatever it sends of what nobody asked for, a remote that sends more than the
// table has for a second is gone within two, new or known for long. A new one is
// with much less of what small messages are allowed many of.
// Rule 20.
func TestFloodIsOverInTwoSeconds(t *testing.T) {
	connections := map[string]func() *allowance{"new": func() *allowance { return new(allowance) }, "known": aged}
	small := map[string][]int{wire.CmdHeaders: {1, 182, listLength(50, 181)}, wire.CmdInv: {1, 37, listLength(20, invSize)}}
	for command, c := range unasked {
		for _, length := range append(small[command], c.length) {
			for age, connection := range connections {
				a, second := connection(), 0.0
				for at := noon; at.Before(noon.Add(time.Second)); {
					if _, err := a.admit(command, length, at); err != nil {
						at = at.Add(time.Millisecond)
						continue
					}
					second++
				}
				for _, times := range []float64{1.2, 2, 10} {
					if took := cutAfter(connection(), command, length, times*second); took > 2*time.Second {
						t.Errorf("%s of %d bytes, a %s connection, %.0f a second: cut after %v", command, length, age, times*second, took)
					}
				}
			}
		}
	}
	for command, second := range map[string]float64{wire.CmdHeaders: 280, wire.CmdInv: 280} {
		if took := cutAfter(new(allowance), command, 182, second); took > 2*time.Second {
			t.Errorf("%s, %.0f a second: cut after %v", command, second, took)
		}
	}
}

// What honest nodes send at once, or what a line brings at once that stood still, is
// no flood, on a new connection either.
func TestBurstsAreNoFlood(t *testing.T) {
	header, batch := listLength(1, 181), listLength(1000, invSize)
	for name, c := range map[string]struct {
		command   string
		length    int
		messages  int // together
		every     time.Duration
		times     int
		knownOnly bool
	}{
		"a reorg of 6":                           {wire.CmdHeaders, header, 7, 0, 1, false},
		"a reorg of 400":                         {wire.CmdHeaders, header, 401, 0, 1, false},
		"a reorg of 1100":                        {wire.CmdHeaders, header, 1101, 0, 1, true},
		"blocks of simnet after a minute":        {wire.CmdHeaders, header, 60, time.Minute, 60, false},
		"two full announcements":                 {wire.CmdHeaders, listLength(2000, 181), 2, 0, 1, false},
		"what is mined again after a reorg":      {wire.CmdInv, batch, 2, 0, 1, false},
		"the same of ten thousand":               {wire.CmdInv, batch, 10, 0, 1, true},
		"relay of 200 a second":                  {wire.CmdInv, listLength(20, invSize), 1, 100 * time.Millisecond, 36_000, false},
		"the same on a line that pauses for 10s": {wire.CmdInv, listLength(20, invSize), 100, 10 * time.Second, 60, false},
		"the same on one that pauses for 30s":    {wire.CmdInv, listLength(20, invSize), 300, 30 * time.Second, 60, true},
		"500 after a pause of ours":              {wire.CmdInv, listLength(3, invSize), 500, 10 * time.Minute, 5, false},
		"pings of an impatient owner":            {wire.CmdPing, 8, 10, 10 * time.Second, 60, false},
	} {
		connections := []*allowance{aged()}
		if !c.knownOnly {
			connections = append(connections, new(allowance))
		}
		for i, a := range connections {
			now := noon
			for range c.times {
				for n := range c.messages {
					if _, err := a.admit(c.command, c.length, now); err != nil {
						t.Fatalf("%s, %d: message %d after %v: %v", name, i, n, now.Sub(noon), err)
					}
				}
				now = now.Add(c.every)
			}
		}
	}
}

// An hour of the busiest honest node: nothing of it is too much. The sources of
// the numbers are at limits.
func TestHonestHour(t *testing.T) {
	var a allowance
	var now time.Time
	send := func(want bool, times int, command string, length int) {
		t.Helper()
		for range times {
			read, err := a.admit(command, length, now)
			if err != nil || read != want {
				t.Fatalf("%v after the start: %s of %d bytes: read %v, %v", now.Sub(noon), command, length, read, err)
			}
		}
	}
	ask := func(items ...*wire.InvVect) { a.expect(&wire.MsgGetData{InvList: items}) }
	many := make([]*wire.InvVect, 500)
	for i := range many {
		many[i] = wire.NewInvVect(wire.InvTypeTx, &chainhash.Hash{byte(i), byte(i >> 8)})
	}
	blocks := make([]*wire.InvVect, 500)
	for i := range blocks {
		blocks[i] = blockItem(byte(i))
	}

	now = noon
	send(true, 1, wire.CmdVersion, 120)
	send(true, 1, wire.CmdVerAck, 0)
	send(true, 1, wire.CmdGetHeaders, 1200)
	send(true, 1, wire.CmdGetInitState, 60)
	send(false, 1, wire.CmdSendHeaders, 0)
	send(false, 1, wire.CmdGetAddr, 0)
	a.expect(wire.NewMsgGetAddr())
	send(true, 1, wire.CmdAddr, listLength(1000, 30))
	for range 500 { // the initial sync of a million blocks
		a.expect(&wire.MsgGetHeaders{})
		send(true, 1, wire.CmdHeaders, listLength(2000, 181))
		for range 20 {
			a.expect(wire.NewMsgGetCFsV2(&chainhash.Hash{}, &chainhash.Hash{}))
			send(true, 1, wire.CmdCFiltersV2, 9_000_000)
		}
	}
	for range 20 { // a scan that finds something in 10,000 full blocks
		ask(blocks...)
		send(true, 500, wire.CmdBlock, 393_216)
	}

	for second := range 3600 {
		now = noon.Add(time.Duration(second) * time.Second)
		// Full blocks: six transactions a second, two batches, and the mix
		// messages of a hundred wallets every ten minutes.
		send(true, 2, wire.CmdInv, listLength(3, invSize))
		ask(many[:6]...)
		send(true, 6, wire.CmdTx, 215)
		if second%600 < 20 {
			send(true, 2, wire.CmdInv, listLength(25, invSize))
		}
		// Thirty times as much for ten minutes, and then a thousand of the
		// largest at most that a block holds.
		if second >= 600 && second < 1200 {
			for range 10 {
				send(true, 1, wire.CmdInv, listLength(20, invSize))
				ask(many[:20]...)
				send(true, 18, wire.CmdTx, 300)
				if _, err := a.admit(wire.CmdNotFound, listLength(2, invSize), now); err != nil {
					t.Fatal(err)
				}
				a.named(many[0], true, now)
				a.named(many[1], true, now)
			}
		}
		if second%300 == 0 {
			send(true, 1, wire.CmdHeaders, listLength(1, 181))
			send(true, 1, wire.CmdPing, 8)
			a.expect(wire.NewMsgPing(1))
			send(true, 1, wire.CmdPong, 8)
			// What we announce again, and the node does not have.
			a.expect(&wire.MsgInv{InvList: many})
			send(true, 1, wire.CmdGetData, listLength(500, invSize))
			wantError(t, a.unknown(many, now), nil)
		}
		switch {
		case second >= 1500 && second < 1504: // a reorg of 2000, announced block by block
			send(true, 500, wire.CmdHeaders, listLength(1, 181))
		case second >= 2000 && second < 2014: // the remote was suspended for a fortnight
			send(true, 288, wire.CmdHeaders, listLength(1, 181))
		case second == 2500: // five thousand transactions are waiting
			send(true, 5, wire.CmdInv, listLength(1000, invSize))
			for range 10 {
				ask(many...)
				send(true, 500, wire.CmdTx, 600)
			}
		case second == 3000: // eighty of the largest that a node relays
			ask(many[:80]...)
			send(true, 80, wire.CmdTx, 100_000)
		}
	}
}

// cutAfter sends a message so many times a second, and returns when that is too much.
func cutAfter(a *allowance, command string, length int, second float64) time.Duration {
	for n := 0.0; ; n++ {
		at := time.Duration(n / second * float64(time.Second))
		if _, err := a.admit(command, length, noon.Add(at)); err != nil || at > time.Minute {
			return at
		}
	}
}
