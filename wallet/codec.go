package wallet

import (
	"encoding/binary"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/dcrutil/v4"
	"github.com/decred/dcrd/wire"
)

// Integers are big endian, so that keys sort by number. Hashes are stored in
// their natural byte order, not reversed as they are printed.

var be = binary.BigEndian

func key32(n uint32) []byte { return be.AppendUint32(nil, n) }
func key64(n uint64) []byte { return be.AppendUint64(nil, n) }

// decoder reads a record from front to back. Reading past the end gives zeros
// and is told by done.
type decoder struct {
	b   []byte
	bad bool
}

func (d *decoder) bytes(n int) []byte {
	if len(d.b) < n {
		d.bad, d.b = true, nil
		return make([]byte, n)
	}
	out := d.b[:n]
	d.b = d.b[n:]
	return out
}

func (d *decoder) u8() uint8              { return d.bytes(1)[0] }
func (d *decoder) u32() uint32            { return be.Uint32(d.bytes(4)) }
func (d *decoder) u64() uint64            { return be.Uint64(d.bytes(8)) }
func (d *decoder) amount() dcrutil.Amount { return dcrutil.Amount(d.u64()) }
func (d *decoder) hash() chainhash.Hash   { return chainhash.Hash(d.bytes(chainhash.HashSize)) }

// rest is a copy of all that is left: records read from bbolt are only valid
// during the transaction.
func (d *decoder) rest() []byte {
	out := append([]byte(nil), d.b...)
	d.b = nil
	return out
}

// ok reports whether the record had exactly the bytes that were read.
func (d *decoder) ok() bool { return !d.bad && len(d.b) == 0 }

func outPointKey(hash *chainhash.Hash, index uint32) []byte {
	return be.AppendUint32(append(make([]byte, 0, 36), hash[:]...), index)
}

func orderKey(height uint32, tree int8, pos uint32) []byte {
	k := be.AppendUint32(make([]byte, 0, 9), height)
	return be.AppendUint32(append(k, byte(tree)), pos)
}

// txRecord is a transaction in the chain that concerns the wallet.
type txRecord struct {
	height uint32
	pos    uint32 // in its tree of the block
	tree   int8
	credit dcrutil.Amount // paid to watched scripts
	debit  dcrutil.Amount // taken from coins of the wallet
	raw    []byte         // the serialized transaction
}

func (r *txRecord) encode() []byte {
	b := make([]byte, 0, 25+len(r.raw))
	b = be.AppendUint32(b, r.height)
	b = be.AppendUint32(b, r.pos)
	b = append(b, byte(r.tree))
	b = be.AppendUint64(b, uint64(r.credit))
	b = be.AppendUint64(b, uint64(r.debit))
	return append(b, r.raw...)
}

func decodeTx(b []byte) (txRecord, bool) {
	d := decoder{b: b}
	r := txRecord{height: d.u32(), pos: d.u32(), tree: int8(d.u8()), credit: d.amount(), debit: d.amount()}
	r.raw = d.rest()
	return r, d.ok() && len(r.raw) > 0
}

// parse is the transaction itself.
func parseTx(raw []byte) (*wire.MsgTx, bool) {
	tx := new(wire.MsgTx)
	return tx, tx.FromBytes(raw) == nil
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

// blockRecord is a block with transactions of the wallet, or one whose regular
// transactions were disapproved.
type blockRecord struct {
	hash, prev chainhash.Hash
	time       uint32 // unix seconds, as in the header
}

func (r *blockRecord) encode() []byte {
	b := append(make([]byte, 0, 68), r.hash[:]...)
	return be.AppendUint32(append(b, r.prev[:]...), r.time)
}

func decodeBlock(b []byte) (blockRecord, bool) {
	d := decoder{b: b}
	r := blockRecord{hash: d.hash(), prev: d.hash(), time: d.u32()}
	return r, d.ok()
}

// pendingTx is a transaction that is not in the chain. A dead one can't get
// into it any more; it is kept for a while because a reorg may revive it, unless
// all we know of it is from a peer.
type pendingTx struct {
	seq        uint64 // order of arrival
	origin     origin
	arrived    uint32 // the tip's height then, or that of the block it was in
	since      uint32 // the blocks above this one may spend what it spends
	dead       death
	deadHeight uint32 // of the block that killed it
	deadTree   int8   // of the transaction that killed it
	raw        []byte
}

// origin says what a pending transaction is known from, last of all.
type origin uint8

const (
	fromOwner origin = iota // AddUnmined
	fromBlock               // one that was undone or disapproved
	fromPeer                // Seen
)

// death says why a pending transaction can't be mined.
type death uint8

const (
	alive death = iota
	conflicted
	expired
	superseded // a ticket that locks less than the price
)

func (p *pendingTx) encode() []byte {
	b := be.AppendUint64(make([]byte, 0, 23+len(p.raw)), p.seq)
	b = append(b, byte(p.origin))
	b = be.AppendUint32(be.AppendUint32(b, p.arrived), p.since)
	b = append(b, byte(p.dead))
	b = be.AppendUint32(b, p.deadHeight)
	return append(append(b, byte(p.deadTree)), p.raw...)
}

func decodePending(b []byte) (pendingTx, bool) {
	d := decoder{b: b}
	p := pendingTx{seq: d.u64(), origin: origin(d.u8()), arrived: d.u32(), since: d.u32()}
	p.dead, p.deadHeight, p.deadTree = death(d.u8()), d.u32(), int8(d.u8())
	p.raw = d.rest()
	return p, d.ok() && p.origin <= fromPeer && p.dead <= superseded
}
