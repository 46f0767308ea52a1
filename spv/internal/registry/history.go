package registry

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

const (
	maxEvents = 5   // kept of an address
	maxReason = 160 // bytes kept of a reason, which may quote a stranger
)

// EventKind is what has happened to an address.
type EventKind string

// The kinds of events.
const (
	// Disconnect is the end of a connection, by whichever side and also in the
	// handshake. Until is when it may be dialed again, zero if that is up to the
	// usual waits between dials.
	Disconnect EventKind = "disconnect"

	// Pause is a time in which it is not asked for a kind of data unless nobody
	// else is left. It may end sooner.
	Pause EventKind = "pause"

	// Ban is a time without any connection.
	Ban EventKind = "ban"
)

// Event is a disconnect, a pause or a ban.
type Event struct {
	Kind   EventKind `json:"kind"`
	Data   string    `json:"data,omitempty"` // of a pause: the Kind of data, by its name
	Time   time.Time `json:"time"`
	Until  time.Time `json:"until,omitzero"` // of a pause that has ended sooner: its end
	Reason string    `json:"reason"`         // printable, at most 160 bytes
}

// history is the last five events of an address, latest last.
type history []Event

// note adds an event. A pause that is in force is made longer in place of that:
// requests that were under way together fail together.
func (h *history) note(ev Event) {
	ev.Reason = cleanReason(ev.Reason)
	if running := h.running(ev.Data, ev.Time); ev.Kind == Pause && running != nil {
		running.Until, running.Reason = ev.Until, ev.Reason
		return
	}
	*h = append(*h, ev)
	if n := len(*h); n > maxEvents {
		*h = slices.Delete(*h, 0, n-maxEvents)
	}
}

// running returns the pause that is in force for some data, or nil.
func (h *history) running(data string, now time.Time) *Event {
	for i := range *h {
		if ev := &(*h)[i]; ev.Kind == Pause && ev.Data == data && ev.Until.After(now) {
			return ev
		}
	}
	return nil
}

// pauseEnds notes that the pause for some data ends sooner than was thought.
func (h *history) pauseEnds(kind Kind, until, now time.Time) {
	if ev := h.running(kind.String(), now); ev != nil && until.Before(ev.Until) {
		ev.Until = latest(now, until)
	}
}

// ban returns the last ban; without its time and reason if it is not known any more.
func (h *history) ban() Event {
	for _, ev := range slices.Backward(*h) {
		if ev.Kind == Ban {
			return ev
		}
	}
	return Event{Kind: Ban}
}

// forget takes events of some kinds out.
func (h *history) forget(kinds ...EventKind) {
	*h = slices.DeleteFunc(*h, func(ev Event) bool { return slices.Contains(kinds, ev.Kind) })
}

// restore replaces the history by one that was saved. Times later than they can be
// are those of a clock that was wrong. Pauses for data are not saved, so they are
// over.
func (h *history) restore(events []Event, now time.Time) {
	*h = nil
	for _, ev := range events {
		if ev.Kind != Disconnect && ev.Kind != Pause && ev.Kind != Ban {
			continue
		}
		ev.Time = earliest(ev.Time, now)
		ev.Until = earliest(ev.Until, now.Add(banTime))
		if ev.Data = cleanReason(ev.Data); ev.Data != "" {
			ev.Until = earliest(ev.Until, now)
		}
		h.note(ev)
	}
}

// cleanReason returns the printable characters of a reason that fit.
func cleanReason(s string) string {
	var b strings.Builder
	for _, c := range s {
		if c == utf8.RuneError || !unicode.IsPrint(c) {
			continue
		}
		if b.Len()+utf8.RuneLen(c) > maxReason {
			break
		}
		b.WriteRune(c)
	}
	return b.String()
}

// noteBan notes a ban of all addresses that go by a key.
func (r *Registry) noteBan(key string, until time.Time, reason string, now time.Time) {
	for _, e := range r.order {
		if e.goesBy(key) {
			e.history.note(Event{Kind: Ban, Time: now, Until: until, Reason: reason})
		}
	}
}

// noteDisconnect notes the end of a connection, and until when there is to be no
// other one, which does not concern persistent peers. That of a peer that is banned
// is part of the ban.
func (r *Registry) noteDisconnect(e *entry, until time.Time, reason error, now time.Time) {
	if r.banned(e.key, now) {
		return
	}
	if e.persistent {
		until = time.Time{}
	}
	e.history.note(Event{Kind: Disconnect, Time: now, Until: until, Reason: reason.Error()})
}

// notePause notes that a peer is not asked for a kind of data.
func (e *entry) notePause(kind Kind, why error, now time.Time) {
	e.history.note(Event{Kind: Pause, Data: kind.String(), Time: now, Until: e.cool[kind].end(), Reason: fmt.Sprint(why)})
}
