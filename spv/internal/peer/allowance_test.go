package peer

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/wire"
)

// noon is when the connections of these tests begin.
var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

// listLength is the length of a message with n entries.
func listLength(n, entry int) int {
	if n < 253 {
		return 1 + n*entry
	}
	return 3 + n*entry
}

func TestBucket(t *testing.T) {
	var b bucket
	now := noon
	for i, step := range []struct {
		after time.Duration
		n     float64
		want  bool
	}{
		{0, 0, true}, {0, 11, false}, {0, 10, true}, {0, 1, false}, {0, 0, true},
		{999 * time.Millisecond, 1, false}, {time.Millisecond, 1, true}, {0, 0.5, false},
		{5 * time.Second, 4, true}, {-time.Hour, 1, true}, {0, 1, false}, {2 * time.Hour, 11, false}, {0, 10, true}, {0, 1, false},
	} {
		now = now.Add(step.after)
		if got := b.take(step.n, rate{burst: 10, perMinute: 60}, now); got != step.want {
			t.Errorf("step %d: %v, want %v", i, got, step.want)
		}
	}
}

// unasked is what each command may come without having been asked for.
var unasked = map[string]struct {
	length int           // of a message in bytes
	burst  int           // how many
	every  time.Duration // for one more
	read   bool
}{
	"future":             {0, 200, 100 * time.Millisecond, false},
	wire.CmdSendHeaders:  {0, 200, 100 * time.Millisecond, false},
	wire.CmdMixPairReq:   {1 << 20, 4, 15 * time.Second, false},
	wire.CmdVerAck:       {0, 10, 10 * time.Second, true},
	wire.CmdVersion:      {100, 10, 10 * time.Second, true},
	wire.CmdGetInitState: {1, 10, 10 * time.Second, true},
	wire.CmdPing:         {8, 20, time.Second, true},
	wire.CmdPong:         {8, 10, 10 * time.Second, false},
	wire.CmdGetHeaders:   {100, 50, time.Second, true},
	wire.CmdHeaders:      {listLength(2000, 181), 6, 100 * time.Second, true},
	wire.CmdInv:          {listLength(1000, 36), 12, 2 * time.Second, true},
	wire.CmdAddr:         {listLength(1000, 30), 10, 10 * time.Second, false},
	wire.CmdAddrV2:       {listLength(1000, 23), 10, 10 * time.Second, false},
	wire.CmdNotFound:     {listLength(5, 36), 2, 5 * time.Minute, false},
	wire.CmdTx:           {300, 100, time.Second, false},
	wire.CmdBlock:        {1 << 20, 4, 15 * time.Second, false},
	wire.CmdCFiltersV2:   {1 << 20, 4, 15 * time.Second, false},
	wire.CmdCFilterV2:    {1000, 10, time.Minute, false},
}

// aged is the allowance of a connection that has been silent for an hour.
func aged() *allowance {
	a := new(allowance)
	a.begin(noon.Add(-time.Hour))
	return a
}

// What nobody asked for is let in or skipped until its burst is used up, and then
// as its rate says. One more is an error that says of what and how much.
// Rule 20.
func TestUnaskedIsLimited(t *testing.T) {
	relayed := map[string]bool{wire.CmdHeaders: true, wire.CmdInv: true, wire.CmdTx: true}
	for command, c := range unasked {
		t.Run(command, func(t *testing.T) {
			a := aged()
			for i := range c.burst {
				if read, err := a.admit(command, c.length, noon); err != nil || read != c.read {
					t.Fatalf("message %d: read %v, %v", i, read, err)
				}
			}
			_, err := a.admit(command, c.length, noon)
			if !errors.Is(err, ErrFlood) || errors.Is(err, ErrProtocol) == relayed[command] {
				t.Fatalf("one more: %v", err)
			}
			if want := fmt.Sprintf("of %q at once and ", command); !strings.Contains(err.Error(), want) {
				t.Errorf("%q does not say %q", err, want)
			}
			if _, err := a.admit(command, c.length, noon.Add(c.every*99/100)); err == nil {
				t.Errorf("one more before %v", c.every)
			}
			if _, err := a.admit(command, c.length, noon.Add(c.every)); err != nil {
				t.Errorf("after %v: %v", c.every, err)
			}
			if _, err := a.admit(command, c.length, noon.Add(c.every)); err == nil {
				t.Errorf("two more after %v", c.every)
			}
		})
	}
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

// Small messages are limited in number, whatever is in them.
// Rule 20.
func TestSmallMessagesAreLimited(t *testing.T) {
	for _, command := range []string{wire.CmdHeaders, wire.CmdInv} {
		var fresh allowance
		for a, want := range map[*allowance]int{aged(): 1200, &fresh: 500} {
			n := 0
			for ; n < 100_000; n++ {
				if _, err := a.admit(command, n%2*37, noon); err != nil {
					break
				}
			}
			if n != want {
				t.Errorf("%d %s messages, want %d", n, command, want)
			}
		}
		a, n := aged(), 0
		for now := noon.Add(time.Hour); n < 100_000; n++ {
			now = now.Add(time.Second / 300)
			if _, err := a.admit(command, n%2*37, now); err != nil {
				break
			}
		}
		if n < 5000 || n > 5400 {
			t.Errorf("%d %s messages, 300 a second", n, command)
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

// exhaust uses up what may come unasked.
func exhaust(t *testing.T, a *allowance, command string) {
	t.Helper()
	for range unasked[command].burst {
		if _, err := a.admit(command, unasked[command].length, noon); err != nil {
			t.Fatal(err)
		}
	}
}

func txItem(n byte) *wire.InvVect    { return wire.NewInvVect(wire.InvTypeTx, &chainhash.Hash{n}) }
func blockItem(n byte) *wire.InvVect { return wire.NewInvVect(wire.InvTypeBlock, &chainhash.Hash{n}) }

// Each request makes its answer welcome once, whatever else has come.
// Rule 20.
func TestAnswersAreWelcomeOnce(t *testing.T) {
	for name, c := range map[string]struct {
		request wire.Message
		answer  string
		length  int
		times   int
	}{
		"headers": {&wire.MsgGetHeaders{}, wire.CmdHeaders, listLength(2000, 181), 1},
		"batch":   {wire.NewMsgGetCFsV2(&chainhash.Hash{}, &chainhash.Hash{}), wire.CmdCFiltersV2, 26_000_000, 1},
		"filter":  {wire.NewMsgGetCFilterV2(&chainhash.Hash{}), wire.CmdCFilterV2, 260_000, 1},
		"pong":    {wire.NewMsgPing(1), wire.CmdPong, 8, 1},
		"addr":    {wire.NewMsgGetAddr(), wire.CmdAddr, listLength(1000, 30), 10},
		"blocks":  {&wire.MsgGetData{InvList: []*wire.InvVect{blockItem(1), blockItem(2)}}, wire.CmdBlock, 1 << 20, 2},
		"txs":     {&wire.MsgGetData{InvList: []*wire.InvVect{txItem(1), txItem(2)}}, wire.CmdTx, 100_000, 2},
	} {
		t.Run(name, func(t *testing.T) {
			a := aged()
			exhaust(t, a, c.answer)
			a.asked(c.request)
			for range c.times {
				if read, err := a.admit(c.answer, c.length, noon); err != nil || !read {
					t.Fatalf("read %v, %v", read, err)
				}
			}
			if _, err := a.admit(c.answer, c.length, noon); !errors.Is(err, ErrFlood) {
				t.Errorf("once more: %v", err)
			}
		})
	}
}

// Each item of a getdata may be named by a notfound, in one message or in many,
// or be answered, but not both.
func TestNotFoundIsWelcomeForWhatWasAsked(t *testing.T) {
	request := &wire.MsgGetData{}
	for i := range byte(50) {
		request.InvList = append(request.InvList, blockItem(i), txItem(i))
	}
	name := func(a *allowance, items []*wire.InvVect, fits bool) error {
		read, err := a.admit(wire.CmdNotFound, listLength(len(items), invSize), noon)
		if err != nil || !read {
			return err
		}
		for _, item := range items {
			a.named(item, fits, noon)
		}
		return nil
	}
	for _, parts := range []int{1, 7, 100} {
		var a allowance
		exhaust(t, &a, wire.CmdNotFound)
		exhaust(t, &a, wire.CmdBlock)
		a.asked(request)
		for i := 0; i < 100; i += parts {
			if err := name(&a, request.InvList[i:min(i+parts, 100)], true); err != nil {
				t.Fatalf("parts of %d: %v", parts, err)
			}
		}
		if err := name(&a, request.InvList[:1], true); !errors.Is(err, ErrFlood) {
			t.Errorf("parts of %d, one more: %v", parts, err)
		}
		if read, err := a.admit(wire.CmdBlock, 1000, noon); read || !errors.Is(err, ErrFlood) {
			t.Errorf("parts of %d, a block after them: read %v, %v", parts, read, err)
		}
	}
	// Right ones use up nothing of what may come unasked.
	var b allowance
	b.asked(request)
	wantError(t, name(&b, request.InvList, true), nil)
	if b.owed != (allowance{}).owed {
		t.Errorf("still owed: %v", b.owed)
	}
	for range 10 {
		wantError(t, name(&b, request.InvList[:1], false), nil)
	}
	wantError(t, name(&b, request.InvList[:1], false), ErrFlood)
	// Whatever it names, it is bounded by what was asked.
	for _, items := range [][]*wire.InvVect{nil, {txItem(99)}, {blockItem(99)}, request.InvList[:99]} {
		var a allowance
		a.asked(request)
		n := 0
		for name(&a, items, false) == nil {
			n++
		}
		if most := 110; n*len(items) > most || n > most {
			t.Errorf("%d messages of %d items", n, len(items))
		}
	}
	var a allowance
	a.asked(request)
	if err := name(&a, append(make([]*wire.InvVect, 50_000-len(request.InvList)), request.InvList...), false); !errors.Is(err, ErrFlood) {
		t.Errorf("50,000 items: %v", err)
	}
}

// An answer that fits nothing does not take the place of the right one, unless
// there are many of them.
func TestUnfitAnswers(t *testing.T) {
	var a allowance
	a.asked(&wire.MsgGetData{InvList: []*wire.InvVect{blockItem(1), blockItem(2)}})
	n := 0
	for ; n < 1000; n++ {
		read, err := a.admit(wire.CmdBlock, 1000, noon)
		if err != nil || !read {
			break
		}
		a.unfit(classBlock, noon)
	}
	if n != 12 {
		t.Errorf("%d blocks were read", n)
	}
}

// Transactions that we asked for are limited in bytes: the announcement does not
// tell how long they are.
func TestTransactionsAreLimitedInBytes(t *testing.T) {
	var a allowance
	request := &wire.MsgGetData{}
	for i := range byte(200) {
		request.InvList = append(request.InvList, txItem(i))
	}
	a.asked(request)
	n := 0
	var err error
	for ; err == nil; n++ {
		_, err = a.admit(wire.CmdTx, 100_000, noon)
	}
	if !errors.Is(err, ErrFlood) || n != 8<<20/100_000+1 {
		t.Errorf("%d transactions, %v", n, err)
	}
}

// A transaction may be asked for once each time that it was announced; a few
// items more are no flood, and many are one before they are read.
func TestGetDataOfWhatWasAnnounced(t *testing.T) {
	var a allowance
	getData := func(items ...*wire.InvVect) error {
		read, err := a.admit(wire.CmdGetData, listLength(len(items), invSize), noon)
		if err == nil && !read {
			t.Fatal("skipped")
		}
		if err == nil {
			err = a.unknown(items, noon)
		}
		return err
	}
	inv := &wire.MsgInv{}
	for i := range byte(200) {
		inv.InvList = append(inv.InvList, txItem(i))
	}
	for range 2 {
		a.asked(inv)
		wantError(t, getData(inv.InvList[:150]...), nil)
		for i := range 50 {
			wantError(t, getData(inv.InvList[150+i]), nil)
		}
	}
	wantError(t, getData(inv.InvList[:9]...), nil)
	wantError(t, getData(), nil)
	wantError(t, getData(), ErrFlood)
	wantError(t, getData(inv.InvList[0]), ErrFlood)
	a.asked(&wire.MsgInv{InvList: inv.InvList[:1]})
	wantError(t, getData(blockItem(0)), ErrFlood) // the hash is right, the type is not
	wantError(t, getData(inv.InvList[0]), nil)

	a = allowance{}
	a.asked(inv)
	if _, err := a.admit(wire.CmdGetData, listLength(211, invSize), noon); !errors.Is(err, ErrFlood) {
		t.Errorf("eleven items too many: %v", err)
	}
	n := 0
	for ; n < 1000 && getData() == nil; n++ {
	}
	if n != 10 {
		t.Errorf("%d messages that ask for nothing", n)
	}
	wantError(t, getData(inv.InvList...), nil)
}

// What is remembered of our own announcements is bounded.
// Rule 20.
func TestAnnouncementsAreForgotten(t *testing.T) {
	var a allowance
	for i := range 10_000 {
		a.asked(&wire.MsgInv{InvList: []*wire.InvVect{wire.NewInvVect(wire.InvTypeTx, &chainhash.Hash{byte(i), byte(i >> 8)})}})
	}
	if n := a.announced.Len(); n != 2000 {
		t.Errorf("%d are remembered", n)
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
	ask := func(items ...*wire.InvVect) { a.asked(&wire.MsgGetData{InvList: items}) }
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
	a.asked(wire.NewMsgGetAddr())
	send(true, 1, wire.CmdAddr, listLength(1000, 30))
	for range 500 { // the initial sync of a million blocks
		a.asked(&wire.MsgGetHeaders{})
		send(true, 1, wire.CmdHeaders, listLength(2000, 181))
		for range 20 {
			a.asked(wire.NewMsgGetCFsV2(&chainhash.Hash{}, &chainhash.Hash{}))
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
			a.asked(wire.NewMsgPing(1))
			send(true, 1, wire.CmdPong, 8)
			// What we announce again, and the node does not have.
			a.asked(&wire.MsgInv{InvList: many})
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

// What the check of one message costs.
func BenchmarkAdmit(b *testing.B) {
	for _, command := range []string{"future", wire.CmdPing, wire.CmdHeaders, wire.CmdInv, wire.CmdBlock} {
		b.Run(command, func(b *testing.B) {
			var a allowance
			now := noon
			for b.Loop() {
				now = now.Add(time.Minute)
				a.admit(command, 100, now)
			}
		})
	}
}
