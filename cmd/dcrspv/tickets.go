package main

import (
	"context"
	"fmt"
	"strings"
	"text/tabwriter"

	"dcrspv/wallet"

	"github.com/decred/dcrd/chaincfg/chainhash"
)

// ticketDoc is an element of the document of tickets.
type ticketDoc struct {
	TxID      string `json:"txid"`
	State     string `json:"state"`      // unmined, immature, live, voted, missed or expired
	Price     int64  `json:"price"`      // what it locks
	Share     int64  `json:"share"`      // what of that the wallet gets back
	Height    uint32 `json:"height"`     // of its block; 0 while it is unmined
	Live      uint32 `json:"live"`       // from this block on it may be called to vote
	Expires   uint32 `json:"expires"`    // with this block it expires
	EndedBy   string `json:"ended_by"`   // its vote or revocation; "" if there is none
	EndHeight uint32 `json:"end_height"` // and the block of that; 0 if there is none
	Revoked   bool   `json:"revoked"`    // ended by a revocation

	Unverified bool `json:"unverified"` // unmined, and nobody but others says that it is true
}

func readTickets(ctx context.Context, w *wallet.Wallet) ([]ticketDoc, error) {
	list, err := w.Tickets(ctx)
	docs := make([]ticketDoc, 0, len(list))
	for _, t := range list {
		doc := ticketDoc{
			TxID: t.TxID.String(), State: string(t.State), Price: int64(t.Price), Share: int64(t.Share),
			Height: t.Height, Live: t.Live, Expires: t.Expires, EndHeight: t.EndHeight, Revoked: t.Revoked,
			Unverified: t.Unverified,
		}
		if t.EndedBy != (chainhash.Hash{}) {
			doc.EndedBy = t.EndedBy.String()
		}
		docs = append(docs, doc)
	}
	return docs, err
}

func (p *program) runTickets(ctx context.Context) error {
	return p.withWallet(func(w *wallet.Wallet) error {
		docs, err := readTickets(ctx, w)
		if err != nil {
			return err
		}
		if p.opts.JSON {
			return p.printJSON(docs)
		}
		return p.printTickets(docs)
	})
}

// ticketStates are in the order in which a ticket goes through them.
var ticketStates = []wallet.TicketState{
	wallet.TicketUnmined, wallet.TicketImmature, wallet.TicketLive, wallet.TicketVoted, wallet.TicketMissed, wallet.TicketExpired,
}

func (p *program) printTickets(tickets []ticketDoc) error {
	if len(tickets) == 0 {
		_, err := fmt.Fprintln(p.stdout, "no tickets")
		return err
	}
	counts := make(map[string]int)
	w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "STATE\tPRICE\tOURS\tBLOCK\tENDED IN\tTICKET")
	for _, t := range tickets {
		counts[t.State]++
		state := t.State
		if t.Unverified {
			state += ", unverified"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", state, amount(t.Price), amount(t.Share), blockOrNone(t.Height), blockOrNone(t.EndHeight), t.TxID)
	}
	var parts []string
	for _, state := range ticketStates {
		if n := counts[string(state)]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, state))
		}
	}
	fmt.Fprintf(w, "\n%s\n", strings.Join(parts, ", "))
	return w.Flush()
}

// blockOrNone is a height; 0 is none.
func blockOrNone(height uint32) string {
	if height == 0 {
		return "-"
	}
	return fmt.Sprint(height)
}
