package wallet

import (
	"context"
	"testing"

	"github.com/decred/dcrd/wire"
)

// TestTicketState: every state at the heights where it begins and ends.
// Rule 26.
func TestTicketState(t *testing.T) {
	const live, expires = 20, 50
	for _, tt := range []struct {
		tip, end uint32
		revoked  bool
		want     TicketState
	}{
		{4, 0, false, TicketImmature},
		{live - 1, 0, false, TicketImmature},
		{live, 0, false, TicketLive},
		{expires - 1, 0, false, TicketLive},
		{expires, 0, false, TicketExpired},
		{expires + 9, 0, false, TicketExpired},
		{90, live + 1, false, TicketVoted},
		{90, expires, false, TicketVoted},
		{90, live + 2, true, TicketMissed},
		{90, expires, true, TicketMissed},
		{90, expires + 1, true, TicketExpired},
	} {
		ticket := OwnTicket{Height: 4, Live: live, Expires: expires, EndHeight: tt.end, Revoked: tt.revoked}
		if got := ticket.state(tt.tip); got != tt.want {
			t.Errorf("at %d, ended at %d, revoked %v: %s, not %s", tt.tip, tt.end, tt.revoked, got, tt.want)
		}
	}
}

// TestTickets lists tickets of all kinds: those of others are none of ours.
func TestTickets(t *testing.T) {
	c, w := newWorld(t), open(t)
	watchN(t, w, 0, 1, 2)
	half := c.sharedTicket([]wire.OutPoint{c.foreignOutput(), c.foreignOutput()}, addr(9), 100,
		stakePart{addr(1), 50, 0}, stakePart{addr(1 << 40), 51, 0})
	voted := c.ticket(c.foreignOutput(), addr(9), addr(1), 80, 0)
	missed := c.ticket(c.foreignOutput(), addr(9), addr(2), 70, 0)
	c.mine(half, c.ticket(c.foreignOutput(), addr(1), addr(1<<40), 60, 0))
	c.mine(voted)
	c.mine(missed)
	mineTo(c, 25)
	vote, revocation := c.vote(voted, addr(1), 81), c.revoke(missed, addr(2), 70)
	c.mine(vote)
	c.mine(revocation)
	waits := c.ticket(c.foreignOutput(), addr(9), addr(2), 90, 0)
	addUnmined(t, w, waits)
	heard := c.ticket(c.foreignOutput(), addr(9), addr(2), 1e12, 0)
	seen(t, w, heard)
	fresh := c.ticket(c.foreignOutput(), addr(9), addr(2), 95, 0)
	c.mine(fresh)
	c.sync(w)
	list, err := w.Tickets(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	const maturity, lives = 16, 384 // simnet
	want := []OwnTicket{
		{half.TxHash(), TicketLive, 100, 49, 1, 1 + maturity, 1 + maturity + lives, hash{}, 0, false, false},
		{voted.TxHash(), TicketVoted, 80, 80, 2, 2 + maturity, 2 + maturity + lives, vote.TxHash(), 26, false, false},
		{missed.TxHash(), TicketMissed, 70, 70, 3, 3 + maturity, 3 + maturity + lives, revocation.TxHash(), 27, true, false},
		{fresh.TxHash(), TicketImmature, 95, 95, 28, 28 + maturity, 28 + maturity + lives, hash{}, 0, false, false},
		{waits.TxHash(), TicketUnmined, 90, 90, 0, 0, 0, hash{}, 0, false, false},
		{heard.TxHash(), TicketUnmined, 1e12, 1e12, 0, 0, 0, hash{}, 0, false, true},
	}
	if len(list) != len(want) {
		t.Fatalf("%d tickets: %+v", len(list), list)
	}
	for i := range want {
		if list[i] != want[i] {
			t.Errorf("%+v, not %+v", list[i], want[i])
		}
	}
}
