package main

import (
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"dcrspv/spv"
)

// peerEventDoc is a disconnect, a pause or a ban of a peer.
type peerEventDoc struct {
	Kind   string `json:"kind"`
	Data   string `json:"data"` // empty unless it is a pause
	Time   int64  `json:"time"`
	Until  *int64 `json:"until"` // null: no time was set
	Reason string `json:"reason"`
}

func newPeerEventDoc(ev spv.PeerEvent) peerEventDoc {
	doc := peerEventDoc{Kind: string(ev.Kind), Data: ev.Data, Time: ev.Time.Unix(), Reason: ev.Reason}
	if !ev.Until.IsZero() {
		until := ev.Until.Unix()
		doc.Until = &until
	}
	return doc
}

// shownEvents is how many events of all peers are printed.
const shownEvents = 20

// printPeerEvents prints what has happened last, of all peers together.
func (p *program) printPeerEvents(list []spv.Peer) error {
	type event struct {
		addr string
		spv.PeerEvent
	}
	var events []event
	for _, peer := range list {
		for _, ev := range peer.History {
			events = append(events, event{peer.Addr, ev})
		}
	}
	if len(events) == 0 {
		return nil
	}
	slices.SortStableFunc(events, func(a, b event) int { return a.Time.Compare(b.Time) })
	hidden := max(len(events)-shownEvents, 0)
	w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\nTIME (UTC)\tADDRESS\tEVENT\tUNTIL\tREASON")
	for _, ev := range events[hidden:] {
		until := "-"
		if !ev.Until.IsZero() {
			until = ev.Until.UTC().Format(time.DateTime)
		}
		what := strings.TrimSpace(string(ev.Kind) + " " + oneLine(ev.Data))
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", ev.Time.UTC().Format(time.DateTime), oneLine(ev.addr), what, until, orElse(oneLine(ev.Reason), "-"))
	}
	if err := w.Flush(); err != nil || hidden == 0 {
		return err
	}
	_, err := fmt.Fprintf(p.stdout, "%s before that: --json\n", plural(hidden, "event"))
	return err
}
