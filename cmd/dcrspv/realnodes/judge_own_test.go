package realnodes

import (
	"fmt"
	"testing"

	"dcrspv/wallet"

	"github.com/decred/dcrd/blockchain/stake/v5"
)

// ownBalance is what dcrwallet shows of one of its accounts.
type ownBalance struct {
	ImmatureCoinbase int64
	ImmatureStake    int64
	LockedByTickets  int64
	Spendable        int64
	Total            int64
	Unconfirmed      int64
	VotingAuthority  int64
}

// own is what dcrwallet must show of an account by its own definitions: its unmined
// transactions, dead ones too, take away what they spend; maturity as said at
// matures; locked by tickets is what was committed, with the fee that is gone; stake
// change that is not mature, and unmined votes, tickets' change and treasury adds'
// change are in the total and in no other number.
func (s *sheet) own(name string) (b ownBalance) {
	spent := s.spentBy(inChain)
	taken := s.spentBy(waits)
	for _, tx := range s.txs {
		if !tx.listed {
			continue
		}
		for i := range tx.paid {
			p := &tx.paid[i]
			if at := p.spentAs(tx.id); p.account != name || spent[at] || taken[at] {
				continue
			}
			s.addOwn(&b, tx, p)
		}
	}
	return b
}

// undone reports whether a ticket's end waits for a block or was in one that a reorg has
// undone. Then what dcrwallet says is locked, or may be voted with, is no ground to judge
// from: of a ticket that had voted, and is revoked on the new branch, it holds the price to
// be locked for ever, and of one of which the vote waits the authority now and then.
func (s *sheet) undone() bool {
	for _, tx := range s.txs {
		ends := stake.IsSSGen(tx.msg) || stake.IsSSRtx(tx.msg)
		if ends && !inChain(tx) && (tx.listed || tx.height > 0) {
			return true
		}
	}
	return false
}

func (s *sheet) addOwn(b *ownBalance, tx *walletTx, p *paid) {
	after := uint32(0) // blocks on top before it counts
	switch p.kind {
	case voting:
		b.VotingAuthority += p.amount
		return
	case wallet.Ticket:
		b.LockedByTickets += p.full
		b.Total += p.full
		return
	case wallet.Coinbase, wallet.Vote, wallet.Revocation:
		after = uint32(s.params.CoinbaseMaturity)
	case wallet.StakeChange:
		after = uint32(s.params.SStxChangeMaturity)
	}
	b.Total += p.amount
	mature := tx.height > 0 && s.tip.Height >= tx.height+after
	switch {
	case mature:
		b.Spendable += p.amount
	case p.kind == wallet.Coinbase:
		b.ImmatureCoinbase += p.amount
	case p.kind == wallet.Vote, p.kind == wallet.Revocation:
		b.ImmatureStake += p.amount
	case p.kind == wallet.Regular:
		b.Unconfirmed += p.amount
	}
}

// checkOwn lists where dcrwallet's own numbers are not what its transactions make by
// its definitions: then the sheet is no ground to judge from.
func (s *sheet) checkOwn(t *testing.T, names map[string]bool) (wrong []string) {
	t.Helper()
	for name := range names {
		var got struct {
			Balances []struct {
				ImmatureCoinbaseRewards float64 `json:"immaturecoinbaserewards"`
				ImmatureStakeGeneration float64 `json:"immaturestakegeneration"`
				LockedByTickets         float64 `json:"lockedbytickets"`
				Spendable               float64 `json:"spendable"`
				Total                   float64 `json:"total"`
				Unconfirmed             float64 `json:"unconfirmed"`
				VotingAuthority         float64 `json:"votingauthority"`
			} `json:"balances"`
		}
		s.wallet.call(t, &got, "getbalance", name)
		if len(got.Balances) != 1 {
			t.Fatalf("getbalance %s: %+v", name, got)
		}
		g := got.Balances[0]
		has := ownBalance{
			atoms(t, g.ImmatureCoinbaseRewards), atoms(t, g.ImmatureStakeGeneration), atoms(t, g.LockedByTickets),
			atoms(t, g.Spendable), atoms(t, g.Total), atoms(t, g.Unconfirmed), atoms(t, g.VotingAuthority),
		}
		want := s.own(name)
		if s.undone() {
			has.LockedByTickets, has.Total = 0, has.Total-has.LockedByTickets
			want.LockedByTickets, want.Total = 0, want.Total-want.LockedByTickets
			has.VotingAuthority, want.VotingAuthority = 0, 0
		}
		if has != want {
			wrong = append(wrong, fmt.Sprintf("dcrwallet %s:\n  it says    %+v\n  its coins  %+v", name, has, want))
		}
	}
	for _, tx := range s.txs {
		if net, _ := s.net(tx, names, true); inChain(tx) && net != tx.net {
			wrong = append(wrong, fmt.Sprintf("dcrwallet %s at %d: it says %d, its coins %d", tx.id, tx.height, tx.net, net))
		}
	}
	return wrong
}
