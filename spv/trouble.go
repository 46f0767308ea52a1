package spv

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"dcrspv/spv/internal/chaindb"
)

// Trouble is what keeps a sync from going on, if waiting alone does not help.
// The zero value is none.
type Trouble struct {
	Cause  string    `json:"cause"`  // what is wrong, in words
	Remedy string    `json:"remedy"` // what to do about it
	Since  time.Time `json:"since"`  // when it was noticed
}

// String is the trouble as one line.
func (t Trouble) String() string { return t.Cause + ": " + t.Remedy }

// IsZero reports whether there is none.
func (t Trouble) IsZero() bool { return t == Trouble{} }

// troubleBlob is the name in chain.db of the last trouble since everything was in
// sync.
const troubleBlob = "trouble"

// lastTrouble returns what was last wrong since everything was in sync, in this run
// or an earlier one. Errors are those of package chaindb.
func lastTrouble(db *chaindb.DB) (Trouble, error) {
	var t Trouble
	data, err := db.Blob(troubleBlob)
	if err != nil || len(data) == 0 {
		return t, err
	}
	if err := json.Unmarshal(data, &t); err != nil {
		return t, fmt.Errorf("%w: the last trouble: %w", ErrCorrupt, err)
	}
	return t, nil
}

// troubles notices that nothing moves, and holds what was said about it.
type troubles struct {
	at     milestone
	moved  time.Time // when the sync last moved
	synced bool      // as last seen
	looked time.Time

	bytes    int64     // received
	received time.Time // when they were

	failures []failure // the last one of each address, the newest last
	seeding  error     // why no seeder gave any address; nil if one did

	about   diagnosis // what was said since it last moved
	said    Trouble   // likewise
	saidAt  time.Time // of which Since is what the clock on the wall showed then
	present Trouble   // that, unless it does not hold at the moment
	last    Trouble   // what was said since everything was in sync
	stored  Trouble   // of that, what chain.db has
}

const (
	// maxFailures bounds how many addresses a failure is remembered of.
	maxFailures = 256

	// troubleHolds is how long what was said stays before something else is said
	// without any movement between.
	troubleHolds = time.Minute

	// someBytes is how much has to come from peers to count as something although
	// nothing is complete: a batch of large filters takes a slow connection its time.
	someBytes = 64 << 10
)

// failed notes why a peer is not connected.
func (t *troubles) failed(f failure) {
	t.forget(f.addr)
	if len(t.failures) == maxFailures {
		t.failures = t.failures[1:]
	}
	t.failures = append(t.failures, f)
}

// seeded notes with what the last seeder has failed, if it has.
func (t *troubles) seeded(err error) { t.seeding = err }

// forget drops what was wrong with a peer.
func (t *troubles) forget(addr string) {
	t.failures = slices.DeleteFunc(t.failures, func(f failure) bool { return f.addr == addr })
}

// startOver drops all that was wrong and said: others are asked from now on.
func (t *troubles) startOver(now time.Time) {
	t.failures, t.moved = nil, now
	t.about, t.said, t.present = diagnosis{}, Trouble{}, Trouble{}
}

// look notes how far the sync is. What was said is over when it moves, and does not
// hold while there is a connection that could not be had. Time in which nobody
// looked does not count: the machine may have been asleep.
func (t *troubles) look(at milestone, bytes int64, connected, synced bool, now time.Time) {
	if bytes-t.bytes >= someBytes {
		t.bytes, t.received = bytes, now
	}
	if at != t.at || synced {
		t.about, t.said, t.present = diagnosis{}, Trouble{}, Trouble{}
	}
	if at != t.at || synced || t.synced || now.Sub(t.looked) >= troubleAfter {
		t.at, t.moved = at, now
	}
	t.synced, t.looked = synced, now
	if connected && t.about.kind.unconnected() {
		t.present = Trouble{}
	}
	if synced {
		t.last = Trouble{}
	}
}

// say decides whether a diagnosis is said. As long as the same is wrong with the
// same peer it is what was said.
func (t *troubles) say(d diagnosis, now time.Time) {
	switch held := now.Sub(t.saidAt) < troubleHolds && !t.said.IsZero(); {
	case d.kind == noFault, now.Sub(t.moved) < d.after:
	case d.kind == t.about.kind && d.who == t.about.who:
		t.present = t.said
	case held && d.after > 0:
	default:
		t.about, t.saidAt, t.said = d, now, Trouble{Cause: d.cause, Remedy: d.remedy, Since: now.Round(0)}
		t.present, t.last = t.said, t.said
	}
}

// alarm is for when it may be time to say something.
func (t *troubles) alarm(a *alarm) {
	for _, after := range []time.Duration{troubleAfter, muteAfter, searchTime} {
		if !t.synced {
			a.at(t.moved.Add(after))
		}
	}
}

// findTrouble looks whether something is wrong, and returns what is to be said of it.
func (e *engine) findTrouble(phase Phase, reason string, received int64) Trouble {
	t := &e.trouble
	if e.ctx.Err() == nil {
		t.look(e.milestone(), received, len(e.sessions) > 0, phase == InSync, e.now)
		if s, ok := e.situation(phase, reason); ok {
			t.say(s.diagnose(), e.now)
		}
	}
	return t.present
}

// start begins to look, with what is stored.
func (t *troubles) start(db *chaindb.DB, now time.Time) (err error) {
	t.moved, t.looked = now, now
	t.last, err = lastTrouble(db)
	t.stored = t.last
	return err
}

// changed reports whether something else is stored than should be. save stores that.
func (t *troubles) changed() bool { return t.last != t.stored }

// save returns what writes the last trouble to chain.db.
func (t *troubles) save() func(*chaindb.DB) error {
	last := t.last
	t.stored = last
	return func(db *chaindb.DB) error {
		if last.IsZero() {
			return db.PutBlob(troubleBlob, nil)
		}
		data, err := json.Marshal(last)
		if err != nil {
			return err
		}
		return db.PutBlob(troubleBlob, data)
	}
}
