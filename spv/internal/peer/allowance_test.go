package peer

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/wire"
)

// noon is when the connections of these tests begin.
var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

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

// exhaust uses up what may come unasked.
func exhaust(t *testing.T, a *allowance, command string) {
	t.Helper()
	for range unasked[command].burst {
		if _, err := a.admit(command, unasked[command].length, noon); err != nil {
			t.Fatal(err)
		}
	}
}

func txItem(n byte) *wire.InvVect { return wire.NewInvVect(wire.InvTypeTx, &chainhash.Hash{n}) }

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
			a.expect(c.request)
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
		a.expect(request)
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
	b.expect(request)
	wantError(t, name(&b, request.InvList, true), nil)
	if b.expected != (allowance{}).expected {
		t.Errorf("still owed: %v", b.expected)
	}
	for range 10 {
		wantError(t, name(&b, request.InvList[:1], false), nil)
	}
	wantError(t, name(&b, request.InvList[:1], false), ErrFlood)
	// Whatever it names, it is bounded by what was asked.
	for _, items := range [][]*wire.InvVect{nil, {txItem(99)}, {blockItem(99)}, request.InvList[:99]} {
		var a allowance
		a.expect(request)
		n := 0
		for name(&a, items, false) == nil {
			n++
		}
		if most := 110; n*len(items) > most || n > most {
			t.Errorf("%d messages of %d items", n, len(items))
		}
	}
	var a allowance
	a.expect(request)
	if err := name(&a, append(make([]*wire.InvVect, 50_000-len(request.InvList)), request.InvList...), false); !errors.Is(err, ErrFlood) {
		t.Errorf("50,000 items: %v", err)
	}
}

// An answer that fits nothing does not take the place of the right one, unless
// there are many of them.
func TestUnfitAnswers(t *testing.T) {
	var a allowance
	a.expect(&wire.MsgGetData{InvList: []*wire.InvVect{blockItem(1), blockItem(2)}})
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
	a.expect(request)
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
		a.expect(inv)
		wantError(t, getData(inv.InvList[:150]...), nil)
		for i := range 50 {
			wantError(t, getData(inv.InvList[150+i]), nil)
		}
	}
	wantError(t, getData(inv.InvList[:9]...), nil)
	wantError(t, getData(), nil)
	wantError(t, getData(), ErrFlood)
	wantError(t, getData(inv.InvList[0]), ErrFlood)
	a.expect(&wire.MsgInv{InvList: inv.InvList[:1]})
	wantError(t, getData(blockItem(0)), ErrFlood) // the hash is right, the type is not
	wantError(t, getData(inv.InvList[0]), nil)

	a = allowance{}
	a.expect(inv)
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
		a.expect(&wire.MsgInv{InvList: []*wire.InvVect{wire.NewInvVect(wire.InvTypeTx, &chainhash.Hash{byte(i), byte(i >> 8)})}})
	}
	if n := a.announced.Len(); n != 2000 {
		t.Errorf("%d are remembered", n)
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
