package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/decred/dcrd/blockchain/stake/v5"
	"github.com/decred/dcrd/blockchain/standalone/v2"
	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/dcrutil/v4"
	"github.com/decred/dcrd/wire"
)

// voteLimit bounds how long the holder of a ticket may take to vote.
const voteLimit = 60 * time.Second

// errFewVotes tells of a block that too few tickets would vote for, or that they
// would not disapprove.
var errFewVotes = errors.New("too few votes")

// ballot is a ticket and the block that its vote is about.
type ballot struct{ ticket, block chainhash.Hash }

// voteFunc returns the vote of a ticket on the tip; nil is a ticket that misses.
type voteFunc func(ballot) (*wire.MsgTx, error)

// awaitVote waits until a node has heard of the vote.
func (w *network) awaitVote(ctx context.Context, n *node) voteFunc {
	return func(of ballot) (vote *wire.MsgTx, err error) {
		ctx, cancel := context.WithTimeout(ctx, voteLimit)
		defer cancel()
		err = poll(ctx, func() (bool, error) {
			if err := w.collectVotes(n); err != nil {
				return false, err
			}
			vote, err = w.knownVote(of)
			return vote != nil, err
		})
		if err != nil {
			err = fmt.Errorf("vote of ticket %v: %w", of.ticket, err)
		}
		return vote, err
	}
}

func (w *network) collectVotes(n *node) error {
	votes, err := n.rpc.mempool("votes")
	for _, tx := range votes {
		block, _ := stake.SSGenBlockVotedOn(tx)
		w.votes[ballot{tx.TxIn[1].PreviousOutPoint.Hash, block}] = tx
	}
	return err
}

// knownVote is a vote that a node has heard of.
func (w *network) knownVote(of ballot) (*wire.MsgTx, error) { return w.votes[of], nil }

// settleVotes completes chaingen's votes, puts those of others' tickets in their
// place, and revokes what misses or expires (DCP0009).
func (m *miner) settleVotes(b *wire.MsgBlock, led *ledger, o *order) error {
	subsidy := m.subsidy.CalcStakeVoteSubsidyV3(int64(b.Header.Height)-1, standalone.SSVDCP0012)
	var stakeTxs, revoked []*wire.MsgTx
	voters, yes := uint16(0), uint16(0)
	spare := m.params.TicketsPerBlock - minVotes // may miss
	done := make(map[wire.OutPoint]bool)
	for _, tx := range b.STransactions {
		if len(tx.TxIn) != 2 { // the treasurybase
			stakeTxs = append(stakeTxs, tx)
			continue
		}
		ticket, ok := led.coins[tx.TxIn[1].PreviousOutPoint]
		if !ok {
			return fmt.Errorf("vote %v without a ticket", tx.TxIn[1].PreviousOutPoint)
		}
		done[ticket.out] = true
		tx, err := m.vote(b, tx, ticket, subsidy, o, o.miss && spare > 0)
		if err != nil {
			return err
		}
		if tx == nil {
			spare--
			if revoked, err = m.revoke(revoked, ticket); err != nil {
				return err
			}
			continue
		}
		voters++
		if stake.SSGenVoteBits(tx)&dcrutil.BlockValid != 0 {
			yes++
		}
		stakeTxs = append(stakeTxs, tx)
	}
	validating := int64(b.Header.Height) >= m.params.StakeValidationHeight
	if validating && (voters < minVotes || o.disapprove && yes > voters/2) {
		return fmt.Errorf("%w: %d, %d of them yes", errFewVotes, voters, yes)
	}
	for _, c := range led.coins {
		age := uint32(m.params.TicketMaturity) + m.params.TicketExpiry
		if c.staked && c.height+age <= b.Header.Height && !done[c.out] {
			var err error
			if revoked, err = m.revoke(revoked, c); err != nil {
				return err
			}
		}
	}
	b.Header.Voters, b.Header.Revocations = voters, uint8(len(revoked))
	b.STransactions = append(stakeTxs, revoked...)
	return nil
}

// vote completes the vote that chaingen has made, or replaces it by that of the
// ticket's holder; nil if there is none.
func (m *miner) vote(b *wire.MsgBlock, tx *wire.MsgTx, ticket coin, subsidy int64, o *order, miss bool) (*wire.MsgTx, error) {
	if !m.keys.free(ticket.script) && !m.keys.watched(ticket.script) {
		if miss || o.vote == nil {
			return nil, nil
		}
		held, err := o.vote(ballot{ticket.out.Hash, b.Header.PrevBlock})
		if held == nil || err != nil {
			return nil, err
		}
		held = held.Copy()
		held.TxIn[0].ValueIn, held.TxIn[0].BlockHeight, held.TxIn[0].BlockIndex = subsidy, tx.TxIn[0].BlockHeight, tx.TxIn[0].BlockIndex
		held.TxIn[1].ValueIn, held.TxIn[1].BlockHeight, held.TxIn[1].BlockIndex = ticket.value, ticket.height, ticket.index
		return held, nil
	}
	tx.TxIn[0].ValueIn = subsidy
	tx.TxOut = tx.TxOut[:2]
	commitments := m.scripts.outputs(ticket.out.Hash)[1:]
	var paid []int64
	for i := 0; i < len(commitments); i += 2 {
		amount, err := stake.AmountFromSStxPkScrCommitment(commitments[i].PkScript)
		if err != nil {
			return nil, err
		}
		paid = append(paid, int64(amount))
	}
	for i, value := range stake.CalculateRewards(paid, ticket.value, subsidy) {
		addr, err := stake.AddrFromSStxPkScrCommitment(commitments[2*i].PkScript, m.params)
		if err != nil {
			return nil, err
		}
		tx.AddTxOut(output(value)(addr.PayVoteCommitmentScript()))
	}
	return tx, m.keys.sign(tx, 1, ticket.script)
}

// revoke adds the revocation that consensus wants of a ticket that misses or
// expires (DCP0009).
func (m *miner) revoke(list []*wire.MsgTx, ticket coin) ([]*wire.MsgTx, error) {
	var outs []*stake.MinimalOutput
	for _, out := range m.scripts.outputs(ticket.out.Hash) {
		outs = append(outs, &stake.MinimalOutput{PkScript: out.PkScript, Value: out.Value, Version: out.Version})
	}
	parent, err := m.tip().Header.Bytes()
	if err != nil {
		return nil, err
	}
	tx, err := stake.CreateRevocationFromTicket(&ticket.out.Hash, outs, 0,
		stake.TxVersionAutoRevocations, m.params, parent, true)
	if err != nil {
		return nil, err
	}
	tx.TxIn[0].BlockHeight, tx.TxIn[0].BlockIndex = ticket.height, ticket.index
	return append(list, tx), nil
}

// includeStake returns those of the tickets and treasury adds that are valid in
// the block beside so many tickets, and the sum of their fees. It counts the
// tickets in the header.
func (m *miner) includeStake(b *wire.MsgBlock, led *ledger, txs []*wire.MsgTx, tickets int) (in []*wire.MsgTx, fees int64) {
	for _, tx := range txs {
		ticket := stake.IsSStx(tx)
		if ticket && (tickets == int(m.params.MaxFreshStakePerBlock) || tx.TxOut[0].Value < b.Header.SBits) {
			continue
		}
		tx, fee, ok := led.complete(tx, b.Header.Height)
		if !ok {
			continue
		}
		for _, txIn := range tx.TxIn {
			delete(led.coins, txIn.PreviousOutPoint)
		}
		if ticket {
			tickets++
		}
		in, fees = append(in, tx), fees+fee
	}
	b.Header.FreshStake = uint8(tickets)
	return in, fees
}

// outputs are those of a transaction of the stake tree.
func (s scriptIndex) outputs(tx chainhash.Hash) (outs []*wire.TxOut) {
	for {
		o, ok := s[wire.OutPoint{Hash: tx, Index: uint32(len(outs)), Tree: wire.TxTreeStake}]
		if !ok {
			return outs
		}
		outs = append(outs, o)
	}
}
