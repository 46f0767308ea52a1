package spv

import (
	"bytes"
	"path/filepath"
	"testing"
	"time"

	"dcrspv/spv/chain"
	"dcrspv/spv/internal/chaindb"
	"dcrspv/spv/spvtest"

	"github.com/decred/dcrd/chaincfg/v3"
)

var troubleStart = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// watchedTroubles looks once a second, with the same diagnosis each time.
type watchedTroubles struct {
	*troubles
	now time.Time
}

func newTroubles() *watchedTroubles {
	w := &watchedTroubles{&troubles{moved: troubleStart, looked: troubleStart}, troubleStart}
	w.look(milestone{ready: 1}, 0, false, false, w.now)
	return w
}

// pass lets seconds pass.
func (w *watchedTroubles) pass(seconds int, d diagnosis) Trouble {
	for range seconds {
		w.now = w.now.Add(time.Second)
		w.look(milestone{ready: 1}, 0, false, false, w.now)
		w.say(d, w.now)
	}
	return w.present
}

var (
	late   = diagnosis{kind: refuses, cause: "it refuses", remedy: "start it", after: troubleAfter}
	evil   = diagnosis{kind: webServer, cause: "it is a web server", remedy: "log in"}
	unsure = diagnosis{kind: mute, cause: "it says nothing", remedy: "wait", after: muteAfter}
)

// What is wrong is said once nothing has moved for as long as that takes, and stays
// as it was said, whatever the words are later.
// Rule 24.
func TestTroubleIsSaidOnce(t *testing.T) {
	w := newTroubles()
	if got := w.pass(9, late); !got.IsZero() {
		t.Errorf("after 9 s: %v", got)
	}
	said := w.pass(1, late)
	if said != (Trouble{"it refuses", "start it", troubleStart.Add(troubleAfter)}) || said.String() != "it refuses: start it" {
		t.Errorf("after 10 s: %+v", said)
	}
	other := late
	other.cause = "it refuses, in other words"
	if got := w.pass(3600, other); got != said || w.last != said {
		t.Errorf("after an hour: %+v", got)
	}
	if got := newTroubles().pass(1, evil); got.Cause != evil.cause {
		t.Errorf("what can't be mistaken, after a second: %+v", got)
	}
}

// Something else is said after a minute at the earliest, unless it can't be mistaken.
func TestAnotherTrouble(t *testing.T) {
	w := newTroubles()
	said := w.pass(10, late)
	if got := w.pass(59, unsure); got != said {
		t.Errorf("within a minute: %+v", got)
	}
	if got := w.pass(1, unsure); got.Cause != unsure.cause || got.Since != w.now {
		t.Errorf("after a minute: %+v", got)
	}
	if got := w.pass(1, evil); got.Cause != evil.cause {
		t.Errorf("a web server: %+v", got)
	}
	elsewhere := evil
	elsewhere.who = nodeB
	if got := w.pass(1, elsewhere); got.Since != w.now {
		t.Errorf("another peer: %+v", got)
	}
	if got := w.pass(1, diagnosis{}); got.Cause != evil.cause {
		t.Errorf("nothing can be told: %+v", got)
	}
}

// Nor does setting the clock back keep anything from being said.
func TestTroubleWhenTheClockIsSet(t *testing.T) {
	w := newTroubles()
	w.now = spvtest.SetBy(time.Now(), 0)
	w.moved, w.looked = w.now, w.now
	w.pass(10, late)
	w.now = spvtest.SetBy(w.now, -365*24*time.Hour)
	if got := w.pass(60, unsure); got.Cause != unsure.cause || !got.Since.Equal(w.now.Round(0)) {
		t.Errorf("after a minute: %+v", got)
	}
}

// It is over when something moves, and forgotten when all is in sync.
func TestTroubleEnds(t *testing.T) {
	w := newTroubles()
	said := w.pass(10, late)
	w.look(milestone{ready: 2}, 0, true, false, w.now)
	if !w.present.IsZero() || w.last != said {
		t.Errorf("it moves: %v, and the last was %v", w.present, w.last)
	}
	w.look(milestone{ready: 2}, 0, true, true, w.now)
	if !w.present.IsZero() || !w.last.IsZero() {
		t.Errorf("in sync: %v, and the last was %v", w.present, w.last)
	}
	// From the loss of the last peer on the time counts anew.
	w.now = w.now.Add(5 * time.Second)
	w.look(milestone{ready: 2}, 0, false, false, w.now)
	w.say(late, w.now.Add(troubleAfter-1))
	if !w.present.IsZero() {
		t.Errorf("right after: %v", w.present)
	}
	w.say(late, w.now.Add(troubleAfter))
	if w.present.IsZero() {
		t.Error("nothing is said the second time")
	}
}

// A connection refutes that there can be none. When it is gone that is no news.
func TestConnectionRefutesTrouble(t *testing.T) {
	w := newTroubles()
	said := w.pass(10, late)
	w.look(milestone{ready: 1}, 0, true, false, w.now)
	if !w.present.IsZero() {
		t.Errorf("connected: %v", w.present)
	}
	if got := w.pass(1, late); got != said {
		t.Errorf("gone: %+v, was %+v", got, said)
	}
	w = newTroubles()
	said = w.pass(15, unsure)
	w.look(milestone{ready: 1}, 0, true, false, w.now)
	if w.present != said {
		t.Errorf("connected again: %+v", w.present)
	}
}

// The time in which the machine slept is not held against anybody.
// Rule 24.
func TestSleepIsNoTrouble(t *testing.T) {
	w := newTroubles()
	w.now = w.now.Add(time.Hour)
	if got := w.pass(9, late); !got.IsZero() {
		t.Errorf("after waking up: %v", got)
	}
}

// How many failures are remembered is bounded; the oldest is forgotten first, and
// of each address there is one.
// Rule 20.
func TestFailuresAreBounded(t *testing.T) {
	w := newTroubles()
	for i := range 2 * maxFailures {
		w.failed(failure{addr: string(rune(i))})
		w.failed(failure{addr: string(rune(i)), dialing: true})
	}
	if n := len(w.failures); n != maxFailures || w.failures[0].addr != string(rune(maxFailures)) || !w.failures[0].dialing {
		t.Errorf("%d failures, the first is %+v", n, w.failures[0])
	}
	w.forget(w.failures[0].addr)
	if n := len(w.failures); n != maxFailures-1 {
		t.Errorf("%d failures", n)
	}
}

// The last trouble is stored, and with it forgotten what was stored.
func TestLastTroubleIsStored(t *testing.T) {
	db, err := chaindb.Open(filepath.Join(t.TempDir(), ChainFile), chain.NewRules(chaincfg.SimNetParams()))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	stored := func(want Trouble) {
		t.Helper()
		if got, err := lastTrouble(db); err != nil || got != want {
			t.Errorf("%+v, %v, want %+v", got, err, want)
		}
	}
	stored(Trouble{})
	w := newTroubles()
	said := w.pass(10, late)
	if !w.changed() {
		t.Fatal("there is nothing to store")
	}
	if err := w.save()(db); err != nil || w.changed() {
		t.Fatalf("%v; to be stored: %v", err, w.changed())
	}
	stored(said)
	next := newTroubles()
	if err := next.start(db, next.now); err != nil || next.changed() || next.last != said {
		t.Errorf("the next run begins with %+v, %v", next.last, err)
	}
	next.look(milestone{}, 0, true, true, next.now)
	if err := next.save()(db); err != nil {
		t.Fatal(err)
	}
	stored(Trouble{})
	if data, err := db.Blob(troubleBlob); err != nil || data != nil {
		t.Errorf("%q is left, %v", data, err)
	}
	if err := db.PutBlob(troubleBlob, bytes.Repeat([]byte("x"), 9)); err != nil {
		t.Fatal(err)
	}
	if _, err := lastTrouble(db); err == nil {
		t.Error("no error for what is no trouble")
	}
}
