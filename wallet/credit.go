package wallet

import (
	"bytes"

	"github.com/decred/dcrd/blockchain/stake/v5"
	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/dcrutil/v4"
	"github.com/decred/dcrd/wire"
)

// CoinKind says what an output is; rules of maturity depend on it.
type CoinKind uint8

// The kinds of outputs.
const (
	Regular     CoinKind = iota
	Coinbase             // of the first transaction of a block
	Ticket               // OP_SSTX: locked until the ticket votes or is revoked
	Vote                 // OP_SSGEN: what a vote pays
	Revocation           // OP_SSRTX: what a revocation pays
	StakeChange          // OP_SSTXCHANGE: change of a ticket or of a treasury add
	Treasury             // OP_TGEN: payment from the treasury

	kindCount = 7
)

var kindNames = [...]string{"regular", "coinbase", "ticket", "vote", "revocation", "stakechange", "treasury"}

// String is the kind in one word.
func (k CoinKind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "unknown"
}

type (
	hash = chainhash.Hash

	// outPoint is what identifies a coin. The tree follows from it.
	outPoint struct {
		hash  hash
		index uint32
	}
)

// blockTx is a transaction of a block while it is applied.
type blockTx struct {
	msg    *wire.MsgTx
	height uint32
	tree   int8
	pos    uint32
	void   bool // without effect: votes disapprove of the regular tree
	block  *blockRecord

	txid    *hash
	credits []credit
	spends  bool // coins of the wallet
}

// credit is an output that pays a watched script, or is watched by itself.
type credit struct {
	index  uint32
	kind   CoinKind
	script *script
}

// id is the transaction's hash, computed when first needed: most transactions
// of a block do not concern the wallet.
func (t *blockTx) id() hash {
	if t.txid == nil {
		id := t.msg.TxHash()
		t.txid = &id
	}
	return *t.txid
}

// returns reports whether the transaction may be mined again in another block.
func (t *blockTx) returns() bool { return mayReturn(t.msg, t.tree, t.pos) }

// mayReturn: a coinbase, a vote and a treasury base belong to their block, and
// are void once that is.
func mayReturn(tx *wire.MsgTx, tree int8, pos uint32) bool {
	if tree == wire.TxTreeRegular {
		return pos > 0
	}
	return stake.IsSStx(tx) || stake.IsTAdd(tx) || stake.IsSSRtx(tx) || stake.IsTSpend(tx)
}

// findCredits notes which outputs pay watched scripts, and that those scripts,
// and those a ticket commits to, are in use.
func (c *change) findCredits(t *blockTx) {
	c.eachPaid(t.msg, t.tree, func(i uint32, kind CoinKind, s *script) {
		if !c.notice(s, t.height) || len(t.credits) > 0 && t.credits[len(t.credits)-1].index == i {
			return
		}
		if t.tree == wire.TxTreeRegular && t.pos == 0 {
			kind = Coinbase
		}
		t.credits = append(t.credits, credit{index: i, kind: kind, script: s})
	})
	if t.tree == wire.TxTreeStake {
		c.eachCommitment(t.msg, func(s *script) { c.notice(s, t.height) })
	}
}

// eachOutput calls fn for the outputs that pay watched scripts, and for those that
// are watched by themselves: for one that is both, twice in a row.
func (c *change) eachOutput(tx *wire.MsgTx, tree int8, fn func(i uint32, kind CoinKind, s *script)) {
	c.eachPaid(tx, tree, func(i uint32, kind CoinKind, s *script) {
		if s.watched() {
			fn(i, kind, s)
		}
	})
}

// eachPaid is as eachOutput, also for scripts ahead of a gap.
//
// An output of no value pays nothing; filters leave out a ticket's change if it
// is such.
func (c *change) eachPaid(tx *wire.MsgTx, tree int8, fn func(i uint32, kind CoinKind, s *script)) {
	var id *hash
	for i, out := range tx.TxOut {
		if out.Version != 0 || out.Value == 0 {
			continue
		}
		kind, raw := untag(tree, out.Version, out.PkScript)
		if s := c.w.scripts[string(raw)]; s != nil {
			fn(uint32(i), kind, s)
		}
		if c.w.pointsOf[string(raw)] == 0 {
			continue // no need to hash every transaction of a block
		}
		if id == nil {
			id = new(hash)
			*id = tx.TxHash()
		}
		if s := c.w.points[outPoint{*id, uint32(i)}]; s != nil && s.raw == string(raw) {
			fn(uint32(i), kind, s)
		}
	}
}

// eachCommitment calls fn for the known scripts that a ticket commits to pay, and
// for its own output if that is watched and pays what the ticket commits to: then
// the script tells of its end.
func (c *change) eachCommitment(tx *wire.MsgTx, fn func(*script)) {
	if len(tx.TxOut) == 0 || !stake.IsTicketPurchaseScript(tx.TxOut[0].Version, tx.TxOut[0].PkScript) {
		return
	}
	for _, out := range tx.TxOut[1:] {
		if raw := commitmentScript(out.Version, out.PkScript); raw != nil {
			if s := c.w.scripts[string(raw)]; s != nil {
				fn(s)
			}
			if s := c.ticketPoint(tx, raw); s != nil {
				fn(s)
			}
		}
	}
}

// ticketPoint is a ticket's own output, if that is watched and pays a script.
func (c *change) ticketPoint(tx *wire.MsgTx, raw []byte) *script {
	if c.w.pointsOf[string(raw)] == 0 {
		return nil
	}
	if _, own := untag(wire.TxTreeStake, tx.TxOut[0].Version, tx.TxOut[0].PkScript); !bytes.Equal(own, raw) {
		return nil
	}
	s := c.w.points[outPoint{tx.TxHash(), 0}]
	if s == nil || s.raw != string(raw) {
		return nil
	}
	return s
}

// addCoins makes coins of a transaction's credits, except of tickets.
func (c *change) addCoins(t *blockTx) {
	for _, cr := range t.credits {
		if cr.kind != Ticket {
			c.addCoin(t, cr)
		}
	}
}

// addTicket makes a coin of a ticket, once its debits are known.
//
// Filters do not hold a ticket's own output, nor does the vote that spends it
// leave a trace of it there: what they hold is whom the ticket commits to pay
// (dcrd gcs/blockcf2: Regular). So a ticket is only taken up if the wallet pays
// for it or is paid by it: of others the end would not be seen.
func (c *change) addTicket(t *blockTx) {
	i := -1
	for n, cr := range t.credits {
		if cr.kind == Ticket {
			i = n
		}
	}
	if i < 0 {
		return
	}
	ours := t.spends
	c.eachCommitment(t.msg, func(s *script) {
		ours = ours || s.watched() && s.from <= t.height
	})
	if ours {
		c.addCoin(t, t.credits[i])
		return
	}
	t.credits = append(t.credits[:i], t.credits[i+1:]...)
}

func (c *change) addCoin(t *blockTx, cr credit) {
	id := t.id()
	key := outPointKey(&id, cr.index)
	fresh := coin{
		height: t.height,
		tree:   t.tree,
		kind:   cr.kind,
		expiry: t.msg.Expiry != wire.NoExpiryValue,
		amount: dcrutil.Amount(t.msg.TxOut[cr.index].Value),
		script: []byte(cr.script.raw),
	}
	if old, ok := c.coin(key); ok {
		fresh.spent, fresh.spentHeight, fresh.spentBy = old.spent, old.spentHeight, old.spentBy
	}
	c.saveCoin(key, &fresh)
}

// coin reads a coin.
func (c *change) coin(key []byte) (coin, bool) {
	v := c.coins.Get(key)
	if v == nil {
		return coin{}, false
	}
	out, ok := decodeCoin(v)
	if !ok {
		c.fail(corrupt("coin %.40x", key))
	}
	return out, ok
}

// saveCoin writes a coin if it differs from what is stored.
func (c *change) saveCoin(key []byte, coin *coin) {
	value := coin.encode()
	if bytes.Equal(value, c.coins.Get(key)) {
		return
	}
	if old, ok := c.coin(key); ok {
		c.list(key, &old, coin)
	} else {
		c.list(key, nil, coin)
	}
	c.put(c.coins, key, value)
}

func (c *change) dropCoin(key []byte) {
	if old, ok := c.coin(key); ok {
		c.list(key, &old, nil)
		c.del(c.coins, key)
	}
}

// spend marks the coins that a transaction spends.
func (c *change) spend(t *blockTx) {
	for _, in := range t.msg.TxIn {
		key := outPointKey(&in.PreviousOutPoint.Hash, in.PreviousOutPoint.Index)
		coin, ok := c.coin(key)
		if !ok {
			continue
		}
		coin.spent, coin.spentHeight, coin.spentBy = true, t.height, t.id()
		c.saveCoin(key, &coin)
		t.spends = true
	}
}
