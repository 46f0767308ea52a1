package wallet

import (
	"bytes"
	"math"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/chaincfg/v3"
	"github.com/decred/dcrd/dcrutil/v4"
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

// coin is an output in the chain that pays a watched script or is watched by itself.
type coin struct {
	height      uint32
	tree        int8
	kind        CoinKind
	expiry      bool // its transaction has an expiry
	amount      dcrutil.Amount
	spent       bool
	spentHeight uint32
	spentBy     chainhash.Hash
	script      []byte // as watched: without stake opcode
}

// spend notes what spends the coin.
func (c *coin) spend(height uint32, by hash) { c.spent, c.spentHeight, c.spentBy = true, height, by }

func (c *coin) unspend() { c.spent, c.spentHeight, c.spentBy = false, 0, hash{} }

// setShare notes how much of a ticket the wallet owns, and by which script.
func (c *coin) setShare(amount dcrutil.Amount, script []byte) { c.amount, c.script = amount, script }

const (
	coinExpiry = 1 << iota
	coinSpent
)

// Where the kind and the script of a coin are in its record.
const (
	coinKind   = 5
	coinScript = 51
)

func (c *coin) encode() []byte {
	b := make([]byte, 0, 51+len(c.script))
	b = be.AppendUint32(b, c.height)
	var flags byte
	if c.expiry {
		flags |= coinExpiry
	}
	if c.spent {
		flags |= coinSpent
	}
	b = append(b, byte(c.tree), byte(c.kind), flags)
	b = be.AppendUint64(b, uint64(c.amount))
	b = be.AppendUint32(b, c.spentHeight)
	b = append(b, c.spentBy[:]...)
	return append(b, c.script...)
}

func decodeCoin(b []byte) (coin, bool) {
	d := decoder{b: b}
	c := coin{height: d.u32(), tree: int8(d.u8()), kind: CoinKind(d.u8())}
	flags := d.u8()
	c.expiry, c.spent = flags&coinExpiry != 0, flags&coinSpent != 0
	c.amount, c.spentHeight, c.spentBy = d.amount(), d.u32(), d.hash()
	c.script = d.rest()
	return c, d.ok() && len(c.script) > 0 && c.kind < kindCount
}

// coinOf reads from a coin what it is and whose: of a million, that is quick. The
// script is valid for as long as b.
func coinOf(b []byte) (kind CoinKind, script []byte, ok bool) {
	if len(b) <= coinScript || CoinKind(b[coinKind]) >= kindCount {
		return 0, nil, false
	}
	return CoinKind(b[coinKind]), b[coinScript:], true
}

// coinHeight is the height in the record of a coin.
func coinHeight(b []byte) uint32 { return be.Uint32(b) }

// depth is how many blocks must lie between an output and a transaction that
// spends it: their heights differ by at least that (dcrd blockchain:
// CheckTransactionInputs).
func (c *coin) depth(params *chaincfg.Params) uint32 {
	coinbase := uint32(params.CoinbaseMaturity)
	switch {
	case c.expiry:
		return coinbase
	case c.kind == Coinbase, c.kind == Vote, c.kind == Revocation, c.kind == Treasury:
		return coinbase
	case c.kind == StakeChange:
		return uint32(params.SStxChangeMaturity)
	}
	return 0
}

// spendable reports whether a transaction in the block after tip may spend the
// coin.
func (c *coin) spendable(tip uint32, params *chaincfg.Params) bool {
	return c.kind != Ticket && uint64(c.matures(params)) <= uint64(tip)+1
}

// matures is the lowest height of a block that may spend the coin; for a ticket,
// which only its vote or revocation spends, it is without meaning.
func (c *coin) matures(params *chaincfg.Params) uint32 {
	return uint32(min(uint64(c.height)+uint64(c.depth(params)), math.MaxUint32))
}

// creditMatures is what a Credit or UTXO says of it.
func (w *Wallet) creditMatures(c *coin) uint32 {
	if c.kind == Ticket {
		return 0
	}
	return c.matures(w.params)
}

// ripens reports whether a coin is listed in bucket maturing.
func (c *coin) ripens(params *chaincfg.Params) bool {
	return !c.spent && c.kind != Ticket && c.depth(params) > 0
}

func (c *coin) maturingKey(key []byte, params *chaincfg.Params) []byte {
	return append(key32(c.matures(params)), key...)
}

func (c *coin) maturingValue() []byte {
	return be.AppendUint64([]byte{byte(c.kind)}, uint64(c.amount))
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

// eachUnspent calls fn for the unspent coins.
func (b *buckets) eachUnspent(fn func(key []byte, coin *coin)) error {
	return b.unspent.ForEach(func(k, _ []byte) error {
		coin, ok := decodeCoin(b.coins.Get(k))
		if !ok || len(k) != 36 {
			return corrupt("coin %.40x", k)
		}
		fn(k, &coin)
		return nil
	})
}

// list keeps what follows from the coins up to date: the sums and the lists of
// the unspent and the maturing ones. before and after may be nil.
func (c *change) list(key []byte, before, after *coin) {
	was, is := before != nil && !before.spent, after != nil && !after.spent
	params := c.w.params
	if was {
		c.w.totals.count(before, false)
		if before.ripens(params) {
			c.del(c.maturing, before.maturingKey(key, params))
		}
	}
	if is {
		c.w.totals.count(after, true)
		if after.ripens(params) {
			c.put(c.maturing, after.maturingKey(key, params), after.maturingValue())
		}
	}
	switch {
	case is && !was:
		c.put(c.unspent, key, nil)
	case was && !is:
		c.del(c.unspent, key)
	}
}
