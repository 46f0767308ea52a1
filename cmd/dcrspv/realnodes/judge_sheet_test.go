package realnodes

import (
	"cmp"
	"encoding/hex"
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

func waits(tx *walletTx) bool { return tx.listed && tx.height == 0 }
