package wallet

import (
	"bytes"
	"cmp"
	"context"
	"slices"

	"github.com/decred/dcrd/blockchain/stake/v5"
	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/chaincfg/v3"
	"github.com/decred/dcrd/dcrutil/v4"
)

// TicketState says how far a ticket has come.
type TicketState string

// The states of a ticket, as far as filters show them. That a ticket was called to
// vote and did not they do not show: it seems live until it is revoked, which since
// DCP0009 the next block has to do.
const (
	TicketUnmined  TicketState = "unmined"  // not in the chain but may get into it
	TicketImmature TicketState = "immature" // less than TicketMaturity blocks old
	TicketLive     TicketState = "live"     // may be called to vote
	TicketVoted    TicketState = "voted"
	TicketMissed   TicketState = "missed"  // revoked, as it did not vote when it was called
	TicketExpired  TicketState = "expired" // never called in TicketExpiry blocks, revoked or not
)

// OwnTicket is a ticket that is to pay the wallet in the end, or has.
type OwnTicket struct {
	TxID   chainhash.Hash
	State  TicketState
	Price  dcrutil.Amount // what the ticket locks
	Share  dcrutil.Amount // what of that the wallet gets back
	Height uint32         // of its block; 0 while it is unmined

	// Live is the height of the block from which on it may be called, Expires that of
	// the block with which it expires; 0 while it is unmined.
	Live, Expires uint32

	// EndedBy is its vote or revocation, in the block at EndHeight; zero if there is
	// none. Revoked tells the second from the first.
	EndedBy   chainhash.Hash
	EndHeight uint32
	Revoked   bool

	// Unverified: it is unmined and not our own, see Unmined.Own.
	Unverified bool
}

// Tickets lists the tickets of the wallet: those in the chain in the order of their
// blocks, then those that wait. It reads every coin the wallet ever had.
func (w *Wallet) Tickets(ctx context.Context) (out []OwnTicket, err error) {
	err = w.view(ctx, func(b *buckets) error {
		tip := b.tip
		err := b.coins.ForEach(func(k, v []byte) error {
			if kind, _, ok := coinOf(v); ok && kind != Ticket {
				return nil
			}
			coin, ok := decodeCoin(v)
			if !ok || len(k) != 36 {
				return corrupt("coin %.40x", k)
			}
			t, err := b.ownTicket(hash(k[:32]), &coin, tip, w.params)
			out = append(out, t)
			return err
		})
		if err != nil {
			return err
		}
		slices.SortFunc(out, func(a, b OwnTicket) int {
			return cmp.Or(cmp.Compare(a.Height, b.Height), bytes.Compare(a.TxID[:], b.TxID[:]))
		})
		all, err := b.readPending()
		for _, u := range b.effects(all) {
			for _, cr := range u.Credits {
				if cr.Kind == Ticket {
					price := dcrutil.Amount(u.Tx.TxOut[0].Value)
					out = append(out, OwnTicket{
						TxID: u.TxID, State: TicketUnmined, Price: price, Share: cr.Amount, Unverified: !u.Own,
					})
				}
			}
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// ownTicket is what the coin of a ticket stands for.
func (b *buckets) ownTicket(id hash, c *coin, tip uint32, params *chaincfg.Params) (OwnTicket, error) {
	tx, err := b.minedTx(id)
	if err != nil {
		return OwnTicket{}, err
	}
	t := OwnTicket{
		TxID: id, Price: dcrutil.Amount(tx.TxOut[0].Value), Share: c.amount, Height: c.height,
		Live: c.height + uint32(params.TicketMaturity), EndedBy: c.spentBy, EndHeight: c.spentHeight,
	}
	t.Expires = t.Live + params.TicketExpiry
	if c.spent {
		end, err := b.minedTx(c.spentBy)
		if err != nil {
			return OwnTicket{}, err
		}
		t.Revoked = !stake.IsSSGen(end)
	}
	t.State = t.state(tip)
	return t, nil
}

// state is how far a ticket in the chain has come at a tip. A block may call it from
// the one after t.Live on, and once t.Expires is there none may any more (dcrd stake:
// the live tickets of a node are those that have matured with its block, less those
// that have expired with it).
func (t *OwnTicket) state(tip uint32) TicketState {
	switch {
	case t.EndHeight > 0 && !t.Revoked:
		return TicketVoted
	case t.EndHeight > t.Expires, t.EndHeight == 0 && tip >= t.Expires:
		return TicketExpired
	case t.EndHeight > 0:
		return TicketMissed
	case tip < t.Live:
		return TicketImmature
	}
	return TicketLive
}
