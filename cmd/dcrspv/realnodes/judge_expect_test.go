package realnodes

import (
	"cmp"
	"maps"
	"slices"

	"dcrspv/wallet"

	"github.com/decred/dcrd/blockchain/stake/v5"
	"github.com/decred/dcrd/wire"
)

// matures is the height of the first block that may spend an output, by consensus
// (dcrd blockchain: CheckTransactionInputs). dcrwallet holds what comes of coinbases,
// votes, revocations and stake change back for one block more, and knows nothing of
// transactions with an expiry.
func (s *sheet) matures(tx *walletTx, p *paid) uint32 {
	switch {
	case tx.msg.Expiry != wire.NoExpiryValue, p.kind == wallet.Coinbase, p.kind == wallet.Vote,
		p.kind == wallet.Revocation, p.kind == wallet.Treasury:
		return tx.height + uint32(s.params.CoinbaseMaturity)
	case p.kind == wallet.StakeChange:
		return tx.height + uint32(s.params.SStxChangeMaturity)
	}
	return tx.height
}

// coinLine is a coin as both sides have it. Of a ticket's parts there is no index to
// compare.
type coinLine struct {
	TxID      string
	Index     uint32
	Tree      int8
	Amount    int64
	Height    uint32
	Kind      wallet.CoinKind
	Spendable bool
}

type historyLine struct {
	TxID   string
	Tree   int8
	Height uint32
	Block  string
	Net    int64
}

type waitingLine struct {
	TxID string
	Net  int64
}

// account is what a light client shows.
type account struct {
	balance balance
	coins   []coinLine
	history []historyLine
	waiting []waitingLine
}

// expect is what a light client must show of some of the accounts.
//
// A right to vote is no money: a ticket that only that ties to an account is not part
// of it, though dcrwallet lists it.
//
// What waits: what the node's mempool has, dcrwallet's memory of what it was told may
// differ. One that a disapproved block has held is gone for dcrwallet and is not; one
// that was double spent is gone and is kept by dcrwallet. Votes count when mined.
func (s *sheet) expect(of map[string]bool) (a account) {
	spent := s.spentBy(inChain)
	for _, tx := range s.txs {
		net, touched := s.net(tx, of, false)
		switch {
		case inChain(tx) && touched:
			a.history = append(a.history, historyLine{tx.id, tx.tree, tx.height, tx.block, net})
		case touched && s.waiting(tx):
			a.waiting = append(a.waiting, waitingLine{tx.id, net})
			a.balance.Unconfirmed += net
		}
		if !inChain(tx) {
			continue
		}
		tickets := int64(0)
		for i := range tx.paid {
			p := &tx.paid[i]
			if !of[p.account] || p.kind == voting || spent[p.spentAs(tx.id)] {
				continue
			}
			c := coinLine{tx.id, p.index, tx.tree, p.amount, tx.height, p.kind, s.matures(tx, p) <= s.tip.Height+1}
			switch {
			case p.kind == wallet.Ticket:
				tickets += p.amount
				continue
			case c.Spendable:
				a.balance.Spendable += p.amount
			default:
				a.balance.Immature += p.amount
			}
			a.coins = append(a.coins, c)
		}
		if tickets > 0 {
			a.balance.Staked += tickets
			a.coins = append(a.coins, coinLine{tx.id, 0, tx.tree, tickets, tx.height, wallet.Ticket, false})
		}
	}
	a.balance.Total = a.balance.Spendable + a.balance.Immature + a.balance.Staked
	return a
}

// waiting reports whether a transaction waits to be mined. What the node has not in its
// mempool is a ticket that is bought with what waits itself: that it keeps apart (dcrd
// mempool: stageTransaction).
func (s *sheet) waiting(tx *walletTx) bool {
	if stake.IsSSGen(tx.msg) || inChain(tx) {
		return false
	}
	staged := tx.listed && stake.IsSStx(tx.msg) && slices.ContainsFunc(tx.parents(), func(id string) bool { return s.mempool[id] })
	return staged || s.mempool[tx.id]
}

// net is what a transaction brings less what it takes. With votes, the right to vote
// counts as the ticket's price and commitments do not, as dcrwallet's gettransaction
// has it.
func (s *sheet) net(tx *walletTx, of map[string]bool, votes bool) (net int64, touched bool) {
	counts := func(p *paid) bool {
		return of[p.account] && (votes || p.kind != voting) && !(votes && p.kind == wallet.Ticket)
	}
	for i := range tx.paid {
		if p := &tx.paid[i]; counts(p) {
			net, touched = net+p.amount, true
		}
	}
	for _, in := range tx.msg.TxIn {
		from := s.txs[in.PreviousOutPoint.Hash.String()]
		if from == nil {
			continue
		}
		for i := range from.paid {
			if p := &from.paid[i]; counts(p) && p.spentAs(from.id) == spends(in) {
				net, touched = net-p.amount, true
			}
		}
	}
	return net, touched
}

// sort sorts lines for reading.
func (a *account) sort() {
	slices.SortFunc(a.coins, func(x, y coinLine) int {
		return cmp.Or(cmp.Compare(x.Height, y.Height), cmp.Compare(x.TxID, y.TxID), cmp.Compare(x.Index, y.Index))
	})
	slices.SortFunc(a.history, func(x, y historyLine) int {
		return cmp.Or(cmp.Compare(x.Height, y.Height), cmp.Compare(x.TxID, y.TxID))
	})
	slices.SortFunc(a.waiting, func(x, y waitingLine) int { return cmp.Compare(x.TxID, y.TxID) })
}

// spendable lists the coins of an account that a transaction may spend now and none
// that waits does.
func (s *sheet) spendable(name string) (coins []spendable) {
	spent, taken := s.spentBy(inChain), s.spentBy(waits)
	for _, id := range slices.Sorted(maps.Keys(s.txs)) {
		tx := s.txs[id]
		for i := range tx.paid {
			p := &tx.paid[i]
			if inChain(tx) && p.account == name && p.kind != voting && p.kind != wallet.Ticket && !spent[p.spentAs(id)] &&
				!taken[p.spentAs(id)] && s.matures(tx, p) <= s.tip.Height {
				hash := tx.msg.TxHash()
				coins = append(coins, spendable{*wire.NewOutPoint(&hash, p.index, tx.tree), p.amount})
			}
		}
	}
	slices.SortStableFunc(coins, func(a, b spendable) int { return cmp.Compare(b.amount, a.amount) })
	return coins
}

type spendable struct {
	out    wire.OutPoint
	amount int64
}
