package realnodes

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"testing"

	"dcrspv/wallet"

	"github.com/decred/dcrd/blockchain/stake/v5"
	"github.com/decred/dcrd/blockchain/standalone/v2"
	"github.com/decred/dcrd/chaincfg/v3"
	"github.com/decred/dcrd/txscript/v4"
	"github.com/decred/dcrd/txscript/v4/stdscript"
	"github.com/decred/dcrd/wire"
)

// sheet is what dcrwallet knows: its transactions, and whose their outputs are. From
// it follows, by the documented definitions, what a light client must show of any of
// the accounts, and also what dcrwallet itself must show by its own.
type sheet struct {
	params *chaincfg.Params
	wallet *dcrwallet
	txs    map[string]*walletTx // all that it has ever known

	tip     tip
	mempool map[string]bool // of the first node
}

// walletTx is a transaction of dcrwallet.
type walletTx struct {
	id     string
	msg    *wire.MsgTx
	tree   int8
	listed bool   // dcrwallet knows it at present
	height uint32 // 0: in no block
	block  string
	net    int64 // as dcrwallet says

	paid []paid // outputs, and what a ticket commits to, that are some account's
}

// paid is an output that belongs to an account, or the part of a ticket's price that
// comes back to one.
type paid struct {
	account string
	index   uint32
	amount  int64
	kind    wallet.CoinKind // a ticket's are its commitments
	full    int64           // a commitment's amount, with its part of the fee
	address string
}

// voting marks a ticket's own output: whose it is may vote, and has nothing of it.
const voting wallet.CoinKind = 255

func newSheet(w *dcrwallet) *sheet {
	return &sheet{params: chaincfg.SimNetParams(), wallet: w, txs: make(map[string]*walletTx)}
}

// update asks dcrwallet for its transactions.
//
// listsinceblock leaves out those that pay nobody but change, a revocation often among
// them: each is found as what another one spends, as what listunspent has, as what
// has ended a ticket, or, in the stake tree, because it was there before. Of a regular
// one that a block has held of which the next one disapproves, gettransaction goes on to
// say that it is in that block, though its outputs and what it has spent are undone.
func (s *sheet) update(t *testing.T) {
	t.Helper()
	for _, tx := range s.txs {
		tx.listed = false
	}
	var since struct {
		Transactions []struct {
			TxID          string `json:"txid"`
			BlockHash     string `json:"blockhash"`
			Confirmations int64  `json:"confirmations"`
		} `json:"transactions"`
	}
	s.wallet.call(t, &since, "listsinceblock")
	var todo []string
	for _, e := range since.Transactions {
		tx := s.txs[e.TxID]
		if tx == nil || tx.block != e.BlockHash {
			todo = append(todo, e.TxID)
			continue
		}
		if tx.listed {
			continue
		}
		tx.place(s.tip.Height, e.Confirmations, e.BlockHash)
		todo = append(todo, tx.parents()...)
	}
	var unspent []struct {
		TxID string `json:"txid"`
	}
	s.wallet.call(t, &unspent, "listunspent", 0)
	for _, u := range unspent {
		todo = append(todo, u.TxID)
	}
	var tickets []struct {
		Vote       string `json:"vote"`
		Revocation string `json:"revocation"`
	}
	s.wallet.call(t, &tickets, "ticketinfo", 0)
	for _, ticket := range tickets {
		if end := cmp.Or(ticket.Vote, ticket.Revocation); end != "" {
			todo = append(todo, end)
		}
	}
	for id, tx := range s.txs {
		if tx.tree == wire.TxTreeStake {
			todo = append(todo, id)
		}
	}
	asked := make(map[string]bool)
	for len(todo) > 0 {
		id := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if asked[id] || s.txs[id] != nil && s.txs[id].listed {
			continue
		}
		asked[id] = true
		if tx := s.ask(t, id); tx != nil {
			todo = append(todo, tx.parents()...)
		}
	}
}

func (tx *walletTx) parents() (ids []string) {
	for _, in := range tx.msg.TxIn {
		ids = append(ids, in.PreviousOutPoint.Hash.String())
	}
	return ids
}

func (tx *walletTx) place(tip uint32, confirmations int64, block string) {
	tx.listed, tx.block, tx.height = true, block, 0
	if confirmations > 0 {
		tx.height = tip + 1 - uint32(confirmations)
	}
}

// ask reads a transaction if dcrwallet has it.
func (s *sheet) ask(t *testing.T, id string) *walletTx {
	t.Helper()
	var got struct {
		Hex           string  `json:"hex"`
		BlockHash     string  `json:"blockhash"`
		Confirmations int64   `json:"confirmations"`
		Amount        float64 `json:"amount"`
	}
	if err := s.wallet.try(&got, "gettransaction", id); err != nil {
		return nil // no information: somebody else's
	}
	tx := s.txs[id]
	if tx == nil {
		raw, err := hex.DecodeString(got.Hex)
		if err != nil {
			t.Fatal(err)
		}
		tx = &walletTx{id: id, msg: new(wire.MsgTx)}
		if err := tx.msg.FromBytes(raw); err != nil {
			t.Fatal(err)
		}
		s.sort(t, tx)
		s.txs[id] = tx
	}
	tx.net = atoms(t, got.Amount)
	tx.place(s.tip.Height, got.Confirmations, got.BlockHash)
	return tx
}

// sort finds whose outputs of a transaction are.
func (s *sheet) sort(t *testing.T, tx *walletTx) {
	t.Helper()
	kind := stake.DetermineTxType(tx.msg)
	if kind != stake.TxTypeRegular {
		tx.tree = wire.TxTreeStake
	}
	add := func(p paid) {
		if p.account = s.wallet.owner(t, p.address); p.account != "" {
			tx.paid = append(tx.paid, p)
		}
	}
	for i, out := range tx.msg.TxOut {
		p := paid{index: uint32(i), amount: out.Value, kind: s.kind(tx, out.PkScript)}
		if _, addrs := stdscript.ExtractAddrs(out.Version, out.PkScript, s.params); len(addrs) == 1 && out.Value > 0 {
			p.address = addrs[0].String()
			add(p)
		}
	}
	if kind == stake.TxTypeSStx {
		s.commitments(t, tx.msg, add)
	}
}

func (s *sheet) kind(tx *walletTx, script []byte) wallet.CoinKind {
	if tx.tree == wire.TxTreeRegular {
		if standalone.IsCoinBaseTx(tx.msg, true) {
			return wallet.Coinbase
		}
		return wallet.Regular
	}
	switch script[0] {
	case txscript.OP_SSTX:
		return voting
	case txscript.OP_SSGEN:
		return wallet.Vote
	case txscript.OP_SSRTX:
		return wallet.Revocation
	case txscript.OP_TGEN:
		return wallet.Treasury
	}
	return wallet.StakeChange
}

// commitments finds to whom the price of a ticket comes back. A commitment names
// what its payer gave, the fee included, and that is gone: of the price it has the
// same share as of all commitments.
func (s *sheet) commitments(t *testing.T, msg *wire.MsgTx, add func(paid)) {
	t.Helper()
	var full []int64
	for i := 1; i < len(msg.TxOut); i += 2 {
		amount, err := stake.AmountFromSStxPkScrCommitment(msg.TxOut[i].PkScript)
		if err != nil {
			t.Fatal(err)
		}
		full = append(full, int64(amount))
	}
	for i, part := range stake.CalculateRewards(full, msg.TxOut[0].Value, 0) {
		index := uint32(2*i + 1)
		addr, err := stake.AddrFromSStxPkScrCommitment(msg.TxOut[index].PkScript, s.params)
		if err != nil {
			t.Fatal(err)
		}
		add(paid{index: index, amount: part, full: full[i], kind: wallet.Ticket, address: addr.String()})
	}
}

// place is an output, or a ticket's commitment.
type place struct {
	txid  string
	index uint32
}

// spends tells what spends an output: of a ticket any part, if its vote or
// revocation does.
func spends(in *wire.TxIn) place {
	return place{in.PreviousOutPoint.Hash.String(), in.PreviousOutPoint.Index}
}

func (p *paid) spentAs(id string) place {
	if p.kind == wallet.Ticket || p.kind == voting {
		return place{id, 0}
	}
	return place{id, p.index}
}

// spentBy lists what those transactions spend that are chosen.
func (s *sheet) spentBy(choose func(*walletTx) bool) map[place]bool {
	spent := make(map[place]bool)
	for _, tx := range s.txs {
		if choose(tx) {
			for _, in := range tx.msg.TxIn {
				spent[spends(in)] = true
			}
		}
	}
	return spent
}

func inChain(tx *walletTx) bool { return tx.listed && tx.height > 0 }
func waits(tx *walletTx) bool   { return tx.listed && tx.height == 0 }

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

// ending reports whether dcrwallet has a vote or a revocation that is in no block. Such a
// one takes away what its ticket locks; but of one that a reorg has undone that is
// forgotten now and then, and the transaction kept. So meanwhile what is locked is not
// judged.
func (s *sheet) ending() bool {
	for _, tx := range s.txs {
		if waits(tx) && (stake.IsSSGen(tx.msg) || stake.IsSSRtx(tx.msg)) {
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
		if s.ending() {
			has.LockedByTickets, has.Total = 0, has.Total-has.LockedByTickets
			want.LockedByTickets, want.Total = 0, want.Total-want.LockedByTickets
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
