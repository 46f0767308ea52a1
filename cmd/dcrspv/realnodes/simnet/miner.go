package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/decred/dcrd/blockchain/standalone/v2"
	"github.com/decred/dcrd/blockchain/v5/chaingen"
	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/chaincfg/v3"
	"github.com/decred/dcrd/gcs/v4/blockcf2"
	"github.com/decred/dcrd/txscript/v4/stdaddr"
	"github.com/decred/dcrd/wire"
)

const (
	// blockVersion is what dcrd's own miner puts into simnet blocks.
	blockVersion = 12

	// blockSpacing is simnet's target time between blocks. Blocks carry
	// exactly that spacing, however fast they are made, so the work for a
	// block stays at the network's minimum.
	blockSpacing = time.Second

	// ticketsFrom is simnet's stake enabled height, ticketFee what a ticket
	// leaves to the miner. Three tickets a block fill the pool of 320 that
	// the ticket price aims at, five a block keep it filled.
	ticketsFrom  = 32
	ticketFee    = 10000
	ticketsEarly = 3
	ticketsLate  = 5

	// dearTicket times the lowest price is what none of these is bought for. The
	// price falls again as those there are vote.
	dearTicket = 20

	rewardOutputs = 6

	// minVotes is what a block needs, of the five tickets that win.
	minVotes = 3
)

// miner builds valid simnet blocks on any branch, with the votes of the
// tickets that win.
//
// chaingen keeps the ticket pool and the lottery of every branch and knows the
// prices; it does not know the rules simnet has from the start: DCP0005's
// header commitments, the automatic revocations of DCP0009 and the subsidy split
// of DCP0012. The miner sets those.
type miner struct {
	params  *chaincfg.Params
	keys    *keyring
	gen     chaingen.Generator
	subsidy *standalone.SubsidyCache
	scripts scriptIndex
	began   time.Time
	limit   uint32 // height
	made    int
}

// scriptIndex has the scripts of all outputs ever mined, on whatever branch.
// A filter needs those of the outputs its block spends.
type scriptIndex map[wire.OutPoint]*wire.TxOut

// PrevScript is blockcf2.PrevScripter.
func (s scriptIndex) PrevScript(out *wire.OutPoint) (uint16, []byte, bool) {
	o, ok := s[*out]
	if !ok {
		return 0, nil, false
	}
	return o.Version, o.PkScript, true
}

func (s scriptIndex) add(txs []*wire.MsgTx, tree int8) {
	for _, tx := range txs {
		for i, out := range tx.TxOut {
			s[wire.OutPoint{Hash: *tx.CachedTxHash(), Index: uint32(i), Tree: tree}] = out
		}
	}
}

// newMiner makes a miner for a chain of at most limit blocks. Block one is that
// many blocks in the past: time stamps must not run ahead of the clock.
func newMiner(params *chaincfg.Params, keys *keyring, limit int) (*miner, error) {
	gen, err := chaingen.MakeGenerator(params)
	if err != nil {
		return nil, err
	}
	m := &miner{
		params:  params,
		keys:    keys,
		gen:     gen,
		subsidy: standalone.NewSubsidyCache(params),
		scripts: make(scriptIndex),
		began:   time.Now().Add(-time.Duration(limit) * blockSpacing).Truncate(time.Second),
		limit:   uint32(limit),
	}
	m.gen.UsePowHashAlgo(chaingen.PHABlake3)
	m.gen.UseTreasurySemantics(chaingen.TSDCP0006)
	return m, nil
}

// order describes a block to be made. The zero order is a plain block.
type order struct {
	txs        []*wire.MsgTx        // regular ones to include as far as they are valid
	stake      []*wire.MsgTx        // likewise tickets and treasury adds
	vote       voteFunc             // of tickets that are not the keyring's; nil: none
	miss       bool                 // leave out as many of these as can be
	spared     []*wire.MsgTx        // left out, but must stay valid: tickets take other coins
	reward     stdaddr.StakeAddress // who gets the reward; nil: anyone
	voter      stdaddr.StakeAddress // whose tickets are bought on top of the usual ones
	tickets    int                  // how many of them
	own        bool                 // with watched coins, change to the voter
	disapprove bool                 // votes say no to the block before
}

func (m *miner) tip() *wire.MsgBlock { return m.gen.Tip() }

// branch returns the blocks from genesis to the tip.
func (m *miner) branch() []*wire.MsgBlock {
	var blocks []*wire.MsgBlock
	for b := m.gen.Tip(); ; b = m.gen.BlockByHash(&b.Header.PrevBlock) {
		blocks = append(blocks, b)
		if b.Header.Height == 0 {
			break
		}
	}
	slices.Reverse(blocks)
	return blocks
}

// ledger is the state a block on top of the tip starts from. One that
// disapproves the tip starts without the tip's regular transactions.
func (m *miner) ledger(disapprove bool) *ledger {
	return newLedger(m.params, m.keys.watched, m.branch(), disapprove)
}

// moveTo makes a known block the tip to build on.
func (m *miner) moveTo(hash chainhash.Hash) { m.gen.SetTip(m.gen.BlockName(&hash)) }

// next builds the block after the tip.
func (m *miner) next(o order) (*wire.MsgBlock, error) {
	height := m.tip().Header.Height + 1
	if height > m.limit {
		return nil, fmt.Errorf("no block above height %d", m.limit)
	}
	m.made++
	name := fmt.Sprintf("%d of height %d", m.made, height)
	if height == 1 {
		b := m.gen.CreateBlockOne(name, 0, func(b *wire.MsgBlock) { m.finish(b) })
		m.gen.UsePowDiffAlgo(chaingen.PDAAsert, name)
		return b, nil
	}
	if o.disapprove {
		o.spared = slices.Concat(o.spared, m.tip().Transactions[1:])
	}
	led := m.ledger(o.disapprove)
	var err error
	parent := m.tip().BlockHash()
	b := m.gen.NextBlock(name, nil, nil, func(b *wire.MsgBlock) { err = m.fill(b, led, o) })
	if err != nil {
		m.moveTo(parent)
	}
	return b, err
}

// fill turns chaingen's block into the ordered one.
func (m *miner) fill(b *wire.MsgBlock, led *ledger, o order) error {
	if o.disapprove {
		m.gen.ReplaceVoteBits(0)(b)
		b.Header.VoteBits &^= 1
	}
	if err := m.settleVotes(b, led, &o); err != nil {
		return err
	}
	tickets, err := m.buyTickets(b, led, o)
	if err != nil {
		return err
	}
	fees := ticketFee * int64(len(tickets))
	waiting, paid := m.includeStake(b, led, o.stake, len(tickets))
	fees += paid
	b.STransactions = slices.Concat(b.STransactions, tickets, waiting)

	// In the stake tree an output can be spent in the next block only.
	regular, paid := m.include(led, o.txs, b.Header.Height)
	fees += paid
	coinbase := b.Transactions[0]
	m.reward(coinbase, &b.Header, fees, o.reward)
	b.Transactions = append([]*wire.MsgTx{coinbase}, regular...)
	m.finish(b)
	return nil
}

// buyTickets makes the block's ticket purchases: the usual ones of nobody in
// particular and, on top, those ordered. All are paid with anyone's coins, unless
// those ordered are to be the voter's own.
func (m *miner) buyTickets(b *wire.MsgBlock, led *ledger, o order) ([]*wire.MsgTx, error) {
	n := ticketsLate
	switch height := int64(b.Header.Height); {
	case height < ticketsFrom:
		n = 0
	case height < m.params.StakeValidationHeight:
		n = ticketsEarly
	case b.Header.SBits > dearTicket*m.params.MinimumStakeDiff:
		n = 0
	}
	taken := make(map[wire.OutPoint]bool)
	for _, tx := range slices.Concat(o.txs, o.stake, o.spared) {
		for _, in := range tx.TxIn {
			taken[in.PreviousOutPoint] = true
		}
	}
	price := b.Header.SBits
	pick := func(of func([]byte) bool) []coin {
		return slices.DeleteFunc(led.pick(b.Header.Height, of), func(c coin) bool {
			return taken[c.out] || c.value < price+ticketFee
		})
	}
	coins := pick(m.keys.free)
	if o.own && len(coins) >= n {
		coins = slices.Concat(coins[:n], pick(m.keys.watched))
	}
	if len(coins) < n+o.tickets {
		return nil, errors.New("not enough coins for tickets")
	}
	var txs []*wire.MsgTx
	for i, c := range coins[:n+o.tickets] {
		var voter, change stdaddr.StakeAddress = m.keys.anyone, m.keys.anyone
		if i >= n {
			voter = o.voter
			if o.own {
				change = o.voter
			}
		}
		tx := wire.NewMsgTx()
		tx.AddTxIn(input(c))
		tx.AddTxOut(output(price)(voter.VotingRightsScript()))
		tx.AddTxOut(output(0)(voter.RewardCommitmentScript(price+ticketFee, 0, price)))
		tx.AddTxOut(output(c.value - price - ticketFee)(change.StakeChangeScript()))
		if err := m.keys.sign(tx, 0, c.script); err != nil {
			return nil, err
		}
		delete(led.coins, c.out)
		txs = append(txs, tx)
	}
	return txs, nil
}

// include returns those of the transactions that are valid on this branch,
// complete with where each input was mined, and the sum of their fees. The
// positions start behind the coinbase.
func (m *miner) include(led *ledger, txs []*wire.MsgTx, height uint32) (in []*wire.MsgTx, fees int64) {
	for _, tx := range txs {
		tx, fee, ok := led.complete(tx, height)
		if !ok {
			continue
		}
		led.apply(tx, wire.TxTreeRegular, height, uint32(len(in)+1), false)
		in, fees = append(in, tx), fees+fee
	}
	return in, fees
}

// reward sets what the coinbase pays out (DCP0012's share and the fees, less for
// votes that are missing).
func (m *miner) reward(coinbase *wire.MsgTx, h *wire.BlockHeader, fees int64, to stdaddr.StakeAddress) {
	if to == nil {
		to = m.keys.anyone
	}
	subsidy := m.subsidy.CalcWorkSubsidyV3(int64(h.Height), h.Voters, standalone.SSVDCP0012)
	if int64(h.Height) >= m.params.StakeValidationHeight { // dcrd blockchain: checkTransactionsAndConnect
		fees = fees * int64(h.Voters) / int64(m.params.TicketsPerBlock)
	}
	coinbase.TxIn[0].ValueIn = subsidy
	coinbase.TxOut = coinbase.TxOut[:1] // the unique OP_RETURN
	part := (subsidy + fees) / rewardOutputs
	for i := range int64(rewardOutputs) {
		value := part
		if i == 0 {
			value = subsidy + fees - part*(rewardOutputs-1)
		}
		coinbase.AddTxOut(output(value)(to.PaymentScript()))
	}
}

// finish sets the header fields that depend on the whole block.
func (m *miner) finish(b *wire.MsgBlock) {
	h := &b.Header
	h.Version = blockVersion
	h.Timestamp = m.began
	if h.Height > 1 {
		h.Timestamp = m.tip().Header.Timestamp.Add(blockSpacing)
	}
	// Two branches from one block must not get the same blocks.
	binary.LittleEndian.PutUint64(h.ExtraData[:], uint64(m.made))
	h.Size = uint32(b.SerializeSize())
	m.scripts.add(b.Transactions, wire.TxTreeRegular)
	m.scripts.add(b.STransactions, wire.TxTreeStake)
	// DCP0005: one root for both trees; the filter takes the other's place.
	h.MerkleRoot = standalone.CalcCombinedTxTreeMerkleRoot(b.Transactions, b.STransactions)
	filter, err := blockcf2.Regular(b, m.scripts)
	if err != nil {
		panic(err) // an input of nowhere: the block would be invalid anyway
	}
	h.StakeRoot = filter.Hash()
}

// input spends c and names where it was mined, which consensus checks.
func input(c coin) *wire.TxIn {
	return &wire.TxIn{
		PreviousOutPoint: c.out,
		Sequence:         wire.MaxTxInSequenceNum,
		ValueIn:          c.value,
		BlockHeight:      c.height,
		BlockIndex:       c.index,
	}
}

func output(value int64) func(version uint16, script []byte) *wire.TxOut {
	return func(version uint16, script []byte) *wire.TxOut {
		return &wire.TxOut{Value: value, Version: version, PkScript: script}
	}
}
