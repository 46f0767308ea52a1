package main

import (
	"context"
	"fmt"

	"dcrspv/wallet"

	"github.com/decred/dcrd/dcrutil/v4"
)

// printEvents prints a line for everything that happens in the wallet from now
// on, until the context ends.
func (c *client) printEvents(ctx context.Context, w *wallet.Wallet) error {
	cursor, err := w.LastEvent(ctx)
	if err != nil {
		return err
	}
	for ev, err := range w.Events(ctx, cursor) {
		if err != nil {
			return err
		}
		if line := eventLine(ev); line != "" {
			c.con.printf("%s", line)
		}
	}
	return nil
}

// eventLine is an event for people; empty for what they need not hear of.
func eventLine(ev wallet.Event) string {
	switch ev.Kind {
	case wallet.EventMined:
		return fmt.Sprintf("%-11s %s in block %d, %s", direction(ev), amount(int64(ev.Net)), ev.Block.Height, ev.Tx)
	case wallet.EventUnmined:
		return unminedLine(ev)
	case wallet.EventConflicted:
		return fmt.Sprintf("conflicted  %s, its coin was spent by %s", ev.Tx, ev.By)
	case wallet.EventExpired:
		return fmt.Sprintf("expired     %s", ev.Tx)
	case wallet.EventSuperseded:
		return fmt.Sprintf("superseded  %s, a ticket below the price", ev.Tx)
	case wallet.EventRemoved:
		return fmt.Sprintf("removed     %s", ev.Tx)
	case wallet.EventReorg:
		return fmt.Sprintf("reorg       %s above block %d undone", plural(int(ev.Depth), "block"), ev.Block.Height)
	case wallet.EventDisapproved:
		return fmt.Sprintf("disapproved block %d", ev.Block.Height)
	}
	return ""
}

// unminedLine is a transaction that waits. What spends coins of ours is signed with our
// keys; of the rest that others announce nothing is sure.
func unminedLine(ev wallet.Event) string {
	net, by, behind := ev.Net, "not verified", ""
	if len(ev.Debits) > 0 {
		by = "signed with our keys"
	}
	if own := unbehind(ev); net == 0 && own != 0 {
		net, behind = own, ", behind another one that spends the same"
	}
	if ev.Own {
		return fmt.Sprintf("pending     %s, our own and not in a block%s, %s", net, behind, ev.Tx)
	}
	return fmt.Sprintf("unconfirmed %s, not in a block and %s%s, %s", net, by, behind, ev.Tx)
}

// unbehind is what a transaction that waits would do to the balance if no other one
// came before it.
func unbehind(ev wallet.Event) (net dcrutil.Amount) {
	for _, cr := range ev.Credits {
		net += cr.Amount
	}
	for _, d := range ev.Debits {
		net -= d.Amount
	}
	return net
}

// direction is what a mined transaction does to the wallet.
func direction(ev wallet.Event) string {
	switch {
	case len(ev.Debits) == 0:
		return "received"
	case ev.Net < 0:
		return "sent"
	}
	return "moved"
}

// amount is a number of atoms for people.
func amount(atoms int64) string { return dcrutil.Amount(atoms).String() }
