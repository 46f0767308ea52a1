package wallet

import (
	"math/bits"
	"slices"

	"dcrspv/wallet/internal/keys"

	"github.com/decred/dcrd/blockchain/stake/v5"
	"github.com/decred/dcrd/dcrutil/v4"
	"github.com/decred/dcrd/wire"
)

// A ticket locks its price in its first output until it votes or is revoked. Whoever
// may vote with it need not own it: for each of its inputs an output commits to whom
// that part of the price goes back to. So a ticket is a coin of the wallet as far as
// it commits to pay watched scripts, whoever pays for it and whoever votes with it.
//
// Filters agree with that. The scripts committed to are in those of the block that
// has the ticket and of the block that has its vote or revocation; the script that
// may vote is in neither (dcrd gcs/blockcf2: Regular).
//
// The coin is at the first output, which is what a vote or revocation spends. Its
// amount is the wallet's share of the price, its script the first of the wallet's
// that the ticket commits to pay.

// commitment is the promise of a ticket to pay a part of what it locks.
type commitment struct {
	script string // as watched
	amount uint64 // what was put in for it, in atoms; the fee is in it
}

// commitments are the promises of a ticket; none if a transaction is no ticket.
func commitments(tx *wire.MsgTx) []commitment {
	if len(tx.TxOut) == 0 || !stake.IsTicketPurchaseScript(tx.TxOut[0].Version, tx.TxOut[0].PkScript) || !stake.IsSStx(tx) {
		return nil
	}
	p2sh, hashes, amounts, _, _, _ := stake.TxSStxStakeOutputInfo(tx)
	out := make([]commitment, len(hashes))
	for i, hash := range hashes {
		out[i] = commitment{keys.HashScript(hash, p2sh[i]), uint64(amounts[i])}
	}
	return out
}

// ticketShare is how much of a ticket's price the commitments add up to that are
// ours, and the script of the first of them. The price is divided as by a vote that
// earns nothing (dcrd stake: CalculateRewards). What no valid ticket holds gives 0.
func ticketShare(tx *wire.MsgTx, ours func(script string) bool) (share dcrutil.Amount, script []byte) {
	var part, whole uint64
	for _, cm := range commitments(tx) {
		if cm.amount > dcrutil.MaxAmount {
			return 0, nil
		}
		whole += cm.amount
		if !ours(cm.script) {
			continue
		}
		part += cm.amount
		if script == nil {
			script = []byte(cm.script)
		}
	}
	if part == 0 { // as of all that is no ticket, and may not even have an output
		return 0, nil
	}
	price := tx.TxOut[0].Value
	if price < 0 || price > dcrutil.MaxAmount {
		return 0, nil
	}
	high, low := bits.Mul64(uint64(price), part)
	quotient, _ := bits.Div64(high, low, whole) // at most the price
	return dcrutil.Amount(quotient), script
}

// findTicket notes what a ticket owes the wallet, and that the scripts are in use. Not
// so the one that may vote: filters do not hold it, so a restored wallet may not see it.
func (c *change) findTicket(t *blockTx) {
	if len(commitments(t.msg)) == 0 {
		return
	}
	op := outPoint{t.id(), 0}
	share, raw := ticketShare(t.msg, func(raw string) (ours bool) {
		for _, s := range c.w.entries(op, raw) {
			ours = c.paid(s, t.height) || ours
		}
		return ours
	})
	if share == 0 {
		return
	}
	t.add(credit{index: 0, kind: Ticket, amount: share, script: raw})
}

// claimedShare is what a ticket in the chain owes to what is watched.
func (c *change) claimedShare(id hash, tx *wire.MsgTx, height uint32) (dcrutil.Amount, []byte) {
	return ticketShare(tx, func(raw string) bool { return c.w.claims(outPoint{id, 0}, []byte(raw), height) })
}

// testedShare is the part of that which was found out for certain: of the scripts that
// were tested on its block.
func (c *change) testedShare(id hash, tx *wire.MsgTx, height uint32) dcrutil.Amount {
	share, _ := ticketShare(tx, func(raw string) bool {
		return slices.ContainsFunc(c.w.entries(outPoint{id, 0}, raw), func(s *script) bool {
			return s.watched() && s.Birthday() <= height && c.w.ledger.IsCovered(s, height)
		})
	})
	return share
}
