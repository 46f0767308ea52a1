package registry

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"
)

// errFault is why something is held against a peer.
var errFault = errors.New("a fault")

// historyOf returns what List shows of an address.
func historyOf(r *Registry, addr string, now time.Time) []Event {
	for _, p := range r.List(now) {
		if p.Addr == addr {
			return p.History
		}
	}
	return nil
}

func wantHistory(t *testing.T, r *Registry, addr string, now time.Time, want ...Event) {
	t.Helper()
	got := historyOf(r, addr, now)
	if len(got)+len(want) > 0 && !reflect.DeepEqual(got, want) {
		t.Errorf("the history of %s is\n%+v\nwant\n%+v", addr, got, want)
	}
}

// Whatever disconnects, pauses or bans leaves one event, with its end and reason.
func TestEachPunishmentIsOneEvent(t *testing.T) {
	useless := fmt.Errorf("%w: no blocks", ErrUseless)
	alien := fmt.Errorf("%w: another network", ErrIncompatible)
	old := fmt.Errorf("%w: version 9", ErrQuota)
	low := fmt.Errorf("%w: too low", ErrRefused)
	for name, tc := range map[string]struct {
		of   string
		do   func(r *Registry)
		want []Event
	}{
		"lost": {addrA, func(r *Registry) { r.Disconnected(addrA, errFault, t0) },
			[]Event{{Kind: Disconnect, Time: t0, Reason: "a fault"}}},
		"of no use": {addrA, func(r *Registry) { r.Disconnected(addrA, useless, t0) },
			[]Event{{Kind: Disconnect, Time: t0, Until: t0.Add(10 * time.Minute), Reason: "of no use: no blocks"}}},
		"stopped": {addrA, func(r *Registry) { r.Disconnected(addrA, nil, t0) }, nil},
		"incompatible": {addrB, func(r *Registry) { r.DialFailed(addrB, alien, t0) },
			[]Event{{Kind: Disconnect, Time: t0, Until: t0.Add(24 * time.Hour), Reason: "incompatible peer: another network"}}},
		"an old version": {addrB, func(r *Registry) { r.DialFailed(addrB, old, t0) },
			[]Event{{Kind: Disconnect, Time: t0, Until: t0.Add(10 * time.Minute), Reason: "too many peers of an old version: version 9"}}},
		"refused": {addrB, func(r *Registry) { r.DialFailed(addrB, low, t0) },
			[]Event{{Kind: Disconnect, Time: t0, Reason: "refused: too low"}}},
		"not reached": {addrB, func(r *Registry) { r.DialFailed(addrB, errFault, t0) }, nil},
		"failed": {addrA, func(r *Registry) { r.Failure(addrA, Blocks, 0, errFault, t0) },
			[]Event{{Kind: Pause, Data: "blocks", Time: t0, Until: t0.Add(30 * time.Second), Reason: "a fault"}}},
		"lacks data": {addrA, func(r *Registry) { r.Incomplete(addrA, Filters, errFault, t0) },
			[]Event{{Kind: Pause, Data: "filters", Time: t0, Until: t0.Add(24 * time.Hour), Reason: "a fault"}}},
		"struck": {addrA, func(r *Registry) { r.Strike(addrA, Protocol, errFault, t0) }, nil},
		"proved bad": {addrA, func(r *Registry) { r.Strike(addrA, BadBlock, errFault, t0); r.Disconnected(addrA, errFault, t0) },
			[]Event{{Kind: Ban, Time: t0, Until: t0.Add(24 * time.Hour), Reason: "a fault"}}},
		"banned by hand": {addrA, func(r *Registry) { r.Ban("192.0.2.1", t0); r.Ban("192.0.2.2", t0); r.Disconnected(addrA, errFault, t0) },
			[]Event{{Kind: Ban, Time: t0, Until: t0.Add(24 * time.Hour), Reason: "by the operator"}}},
		"unknown": {addrA, func(r *Registry) { r.Failure(far(7), Blocks, 0, errFault, t0); r.Ban(far(7), t0) }, nil},
	} {
		r := fixture(t, Options{}, addrA, addrB)
		connectOne(t, r, addrA, 100)
		if err := r.Dialing(addrB, t0); err != nil {
			t.Fatal(err)
		}
		tc.do(r)
		t.Run(name, func(t *testing.T) { wantHistory(t, r, tc.of, t0, tc.want...) })
	}
}

// A slow peer's pause says so.
func TestSlownessIsNoted(t *testing.T) {
	r := fixture(t, Options{}, addrA, addrB)
	connectAll(t, r, 100)
	r.Delivered(addrA, Filters, 1000, 40*time.Second, t0)
	wantHistory(t, r, addrA, t0, Event{Kind: Pause, Data: "filters", Time: t0, Until: t0.Add(30 * time.Second), Reason: "sends less than 4096 bytes a second"})
}

// A persistent peer is dialed again at once whatever the reason.
func TestNoUntilWhereTheUserHasChosen(t *testing.T) {
	r := fixture(t, Options{})
	r.Add(addrA, true, t0)
	connectOne(t, r, addrA, 100)
	r.Disconnected(addrA, ErrUseless, t0)
	wantHistory(t, r, addrA, t0, Event{Kind: Disconnect, Time: t0, Reason: "of no use"})
}

// The last five are kept, latest last. What fails while a pause lasts makes it
// longer and is no other one.
func TestFiveEventsAreKept(t *testing.T) {
	r := fixture(t, Options{}, addrA)
	connectOne(t, r, addrA, 100)
	at := func(n int) time.Time { return t0.Add(time.Duration(n) * time.Hour) }
	for i := range 9 {
		r.Failure(addrA, Kind(i%2), 0, fmt.Errorf("fault %d", i), at(i))
		r.Failure(addrA, Kind(i%2), 0, fmt.Errorf("fault %d once more", i), at(i).Add(time.Second))
	}
	got := historyOf(r, addrA, at(9))
	if len(got) != 5 {
		t.Fatalf("%+v", got)
	}
	for k, ev := range got {
		if i := k + 4; !ev.Time.Equal(at(i)) || ev.Reason != fmt.Sprintf("fault %d once more", i) || ev.Until.Sub(ev.Time) > cooldownMax+time.Second {
			t.Errorf("event %d is %+v", k, ev)
		}
	}
}

// A pause that a success ends has ended then.
func TestPauseThatHasEndedSaysSo(t *testing.T) {
	r := fixture(t, Options{}, addrA)
	connectOne(t, r, addrA, 100)
	r.Failure(addrA, Filters, 0, errFault, t0)
	now := t0.Add(10 * time.Second)
	r.Success(addrA, Blocks, 0, now)
	if got := historyOf(r, addrA, now); !got[0].Until.Equal(t0.Add(30 * time.Second)) {
		t.Errorf("a success of another kind: %+v", got)
	}
	r.Success(addrA, Filters, 0, now)
	if got := historyOf(r, addrA, now); !got[0].Until.Equal(now) {
		t.Errorf("a success: %+v", got)
	}
	r.Success(addrA, Filters, 0, now.Add(time.Second))
	if got := historyOf(r, addrA, now); !got[0].Until.Equal(now) {
		t.Errorf("a further success: %+v", got)
	}
}

// Who lifts a ban takes it out of the history, and a reset all the rest. The
// history goes with the address.
func TestHistoryIsClearedWithThePunishment(t *testing.T) {
	r := fixture(t, Options{MaxPeers: 1}, addrA)
	connectOne(t, r, addrA, 100)
	r.Failure(addrA, Filters, 0, errFault, t0)
	r.Disconnected(addrA, errFault, t0)
	r.Ban("192.0.2.1", t0)
	kinds := func() (kinds string) {
		for _, ev := range historyOf(r, addrA, t0) {
			kinds += string(ev.Kind) + " "
		}
		return kinds
	}
	if got := kinds(); got != "pause disconnect ban " {
		t.Fatalf("%q", got)
	}
	r.Reset(addrA)
	if got := kinds(); got != "ban " {
		t.Errorf("reset leaves %q", got)
	}
	r.Unban(addrA)
	if got := kinds(); got != "" {
		t.Errorf("lifting the ban leaves %q", got)
	}
	r.Failure(addrA, Filters, 0, errFault, t0)
	r.Add(far(1), false, t0)
	r.Add(addrA, false, t0)
	if got := kinds(); got != "" {
		t.Errorf("forgetting the address leaves %q", got)
	}
}

// To lift the ban of one port is to lift that of its whole host; what the others
// have a ban of their own for stays.
func TestUnbanOfOnePortInTheHistory(t *testing.T) {
	ports := []string{"127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3"}
	r := fixture(t, Options{}, ports...)
	r.Ban("127.0.0.1", t0)
	r.Ban(ports[2], t0)
	r.Unban(ports[0])
	for i, want := range []int{0, 0, 2} {
		if got := historyOf(r, ports[i], t0); len(got) != want || (want > 0) != r.Banned(ports[i], t0) {
			t.Errorf("%s: %+v", ports[i], got)
		}
	}
}

// The history is the same after a restart. Pauses for data are over then.
func TestHistoryIsKept(t *testing.T) {
	r := fixture(t, Options{}, addrA)
	connectOne(t, r, addrA, 100)
	r.Failure(addrA, Filters, 0, errFault, t0)
	r.Disconnected(addrA, ErrUseless, t0)
	r.Ban(addrA, t0)
	now := t0.Add(5 * time.Second)
	was, is := historyOf(r, addrA, now), historyOf(reload(t, r, now), addrA, now)
	was[0].Until = now
	for i := range was {
		if !was[i].Time.Equal(is[i].Time) || !was[i].Until.Equal(is[i].Until) || was[i].Kind != is[i].Kind || was[i].Reason != is[i].Reason || was[i].Data != is[i].Data {
			t.Errorf("was %+v, is %+v", was[i], is[i])
		}
	}
}

// What strangers say can neither grow nor break what shows it.
// Rule 21.
func TestReasonsAreCleaned(t *testing.T) {
	for in, want := range map[string]string{
		"a fault":                       "a fault",
		"":                              "",
		"\x1b[2Jred\r\nnext\u202eline":  "[2Jrednextline",
		"broken \xff\xfe utf-8":         "broken  utf-8",
		strings.Repeat("a", 1<<20):      strings.Repeat("a", maxReason),
		strings.Repeat("a", 159) + "é!": strings.Repeat("a", 159),
	} {
		r := fixture(t, Options{}, addrA)
		connectOne(t, r, addrA, 100)
		r.Disconnected(addrA, errors.New(in), t0)
		if got := historyOf(r, addrA, t0)[0].Reason; got != want || !utf8.ValidString(got) {
			t.Errorf("%.40q becomes %.40q", in, got)
		}
	}
}

// A history that was saved is bounded and cleaned again: the file may be anybody's.
// Rule 21.
func TestStrangeHistoryIsLoaded(t *testing.T) {
	var events strings.Builder
	for i := range 9 {
		fmt.Fprintf(&events, `{"kind":"disconnect","time":"2023-11-14T22:13:1%dZ","reason":"%d"},`, i, i)
	}
	data := `{"version":1,"peers":[{"addr":"192.0.2.1:9108","last_seen":"2023-11-14T22:13:20Z","history":[` + events.String() + `
		{"kind":"medal","time":"2023-11-14T22:13:20Z"},
		{"kind":"ban","time":"2123-11-14T22:13:20Z","until":"2123-11-14T22:13:20Z","reason":"\u001b[m"}]}]}`
	r := fixture(t, Options{})
	if err := r.Unmarshal([]byte(data), t0); err != nil {
		t.Fatal(err)
	}
	got := historyOf(r, addrA, t0)
	if len(got) != 5 || got[0].Reason != "5" || got[4].Reason != "[m" || got[4].Time.After(t0) || got[4].Until.After(t0.Add(banTime)) {
		t.Errorf("%+v", got)
	}
}

// tellReason gives one reason for everything that has one, and sees that it is in
// bounds, can be shown, and is the same after saving and loading.
func tellReason(t *testing.T, reason string) {
	t.Helper()
	r := New(Options{}, rand.New(rand.NewPCG(1, 2)))
	for i := range 3 {
		r.Add(far(i), false, t0)
	}
	why := errors.New(reason)
	connectOne(t, r, far(0), 100)
	r.Failure(far(0), Filters, 7, why, t0)
	r.Incomplete(far(0), Blocks, why, t0)
	r.Disconnected(far(0), fmt.Errorf("%w: %w", ErrUseless, why), t0)
	connectOne(t, r, far(1), 100)
	r.Strike(far(1), BadBlock, why, t0)
	r.Disconnected(far(1), why, t0)
	if err := r.Dialing(far(2), t0); err != nil {
		t.Fatal(err)
	}
	r.DialFailed(far(2), fmt.Errorf("%w: %w", ErrIncompatible, why), t0)
	loaded := reload(t, r, t0)
	for i, n := range []int{3, 1, 1} {
		was, is := historyOf(r, far(i), t0), historyOf(loaded, far(i), t0)
		if len(was) != n || len(is) != n {
			t.Fatalf("%d events of %s, %d are loaded, want %d", len(was), far(i), len(is), n)
		}
		for k := range was {
			text := was[k].Reason
			if text != is[k].Reason || len(text) > maxReason || !utf8.ValidString(text) || strings.ContainsFunc(text, func(c rune) bool { return !unicode.IsPrint(c) }) {
				t.Errorf("%q is kept as %q and loaded as %q", reason, text, is[k].Reason)
			}
		}
	}
}

func FuzzReasonsCanBeLoaded(f *testing.F) {
	for _, s := range strange {
		f.Add(s)
	}
	f.Add("<&>\u2028\"\\" + strings.Repeat("é", maxReason))
	f.Fuzz(tellReason)
}
