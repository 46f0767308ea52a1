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
	amount dcrutil.Amount
	script []byte
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
// are void once that is. So does a revocation since DCP0009: every block has to hold
// those of the tickets that were missed or expired before it.
func mayReturn(tx *wire.MsgTx, tree int8, pos uint32) bool {
	if tree == wire.TxTreeRegular {
		return pos > 0
	}
	if stake.IsSSRtx(tx) {
		return tx.Version < stake.TxVersionAutoRevocations
	}
	return stake.IsSStx(tx) || stake.IsTAdd(tx) || stake.IsTSpend(tx)
}

// findCredits notes which outputs pay watched scripts, and that those scripts, and
// those a ticket commits to, are in use.
func (c *change) findCredits(t *blockTx) {
	if t.tree == wire.TxTreeStake {
		c.findTicket(t)
	}
	c.eachPaid(t.msg, t.tree, func(i uint32, kind CoinKind, s *script) {
		if !c.notice(s, t.height) || len(t.credits) > 0 && t.credits[len(t.credits)-1].index == i {
			return
		}
		if t.tree == wire.TxTreeRegular && t.pos == 0 {
			kind = Coinbase
		}
		t.credits = append(t.credits, credit{i, kind, dcrutil.Amount(t.msg.TxOut[i].Value), []byte(s.raw)})
	})
}

// eachOutput calls fn for the outputs of a transaction that waits which pay watched
// scripts, or awaited ones, and for those that are watched by themselves: for one that
// is both, twice in a row.
func (c *change) eachOutput(tx *wire.MsgTx, tree int8, fn func(i uint32, kind CoinKind, s *script)) {
	c.eachPaid(tx, tree, func(i uint32, kind CoinKind, s *script) {
		if s.awaits() {
			fn(i, kind, s)
		}
	})
}

// eachPaid is as eachOutput, for all scripts ahead of a gap too.
//
// An output of no value pays nothing; filters leave out a ticket's change if it
// is such. What a ticket locks is owed to those it commits to: see findTicket.
func (c *change) eachPaid(tx *wire.MsgTx, tree int8, fn func(i uint32, kind CoinKind, s *script)) {
	var id *hash
	for i, out := range tx.TxOut {
		if out.Version != 0 || out.Value == 0 {
			continue
		}
		kind, raw := untag(tree, out.Version, out.PkScript)
		if kind == Ticket {
			continue
		}
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

// addCoins makes coins of a transaction's credits.
func (c *change) addCoins(t *blockTx) {
	for _, cr := range t.credits {
		c.addCoin(t, cr)
	}
}

func (c *change) addCoin(t *blockTx, cr credit) {
	id := t.id()
	key := outPointKey(&id, cr.index)
	fresh := coin{
		height: t.height,
		tree:   t.tree,
		kind:   cr.kind,
		expiry: t.msg.Expiry != wire.NoExpiryValue,
		amount: cr.amount,
		script: cr.script,
	}
	old, ok := c.coin(key)
	if ok {
		fresh.spent, fresh.spentHeight, fresh.spentBy = old.spent, old.spentHeight, old.spentBy
	}
	c.saveCoin(key, &fresh)
	if fresh.spent && fresh.amount != old.amount { // of a ticket the wallet owns more than it did
		c.rekeep(fresh.spentBy)
	}
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
		c.suspect(outPoint{hash(key[:32]), be.Uint32(key[32:])})
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
