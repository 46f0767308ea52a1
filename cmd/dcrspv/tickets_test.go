package main

import (
	"strings"
	"testing"
)

// TestTickets: the ticket of the demo's wallet, bought and waiting to be called.
// Rule 26.
func TestTickets(t *testing.T) {
	n := newTestNetwork(t, 1)
	n.dcrspv("watch", n.demo.xpub)
	if text := n.dcrspv("tickets"); text != "no tickets\n" {
		t.Error(text)
	}
	n.dcrspv("sync")
	var tickets []ticketDoc
	n.json(&tickets, "tickets")
	if len(tickets) != 1 {
		t.Fatalf("%+v", tickets)
	}
	got := tickets[0]
	height := got.Height
	want := ticketDoc{
		TxID: got.TxID, State: "live", Price: n.demo.truth.Staked, Share: n.demo.truth.Staked,
		Height: height, Live: height + 16, Expires: height + 16 + 384,
	}
	if got != want || height == 0 {
		t.Errorf("%+v, not %+v", got, want)
	}
	if text := n.dcrspv("tickets"); !strings.Contains(text, got.TxID) || !strings.HasSuffix(text, "\n1 live\n") {
		t.Error(text)
	}
}

// TestTicketOfOthers: anybody can make one up that waits, so the list tells.
// Rule 26.
func TestTicketOfOthers(t *testing.T) {
	p, stdout, _ := testProgram(t)
	if err := p.printTickets([]ticketDoc{{State: "unmined", Unverified: true}, {State: "unmined"}}); err != nil {
		t.Fatal(err)
	}
	if text := stdout.String(); strings.Count(text, "unmined, unverified ") != 1 || !strings.HasSuffix(text, "\n2 unmined\n") {
		t.Error(text)
	}
}
