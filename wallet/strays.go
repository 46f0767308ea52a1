package wallet

import (
	"bytes"
	"slices"

	"github.com/decred/dcrd/dcrutil/v4"
	"github.com/decred/dcrd/txscript/v4"
	"github.com/decred/dcrd/txscript/v4/stdscript"
	"github.com/decred/dcrd/wire"
	"go.etcd.io/bbolt"
)

// Where the newest blocks are tested first, a spend is met before the coin that it
// spends. It names an outpoint that means nothing yet, and only its block's filter
// told that some script of the wallet is in there. So while blocks are owed below
// ones that were tested, transactions that may spend such a coin are kept. When
// the coin is found they are applied once more, and what is shown is never money
// that a tested block spends.
//
// All of them go as soon as nothing is owed below what was tested.

// stray is a transaction in the chain that may spend coins yet to be found.
type stray struct {
	void  bool // its block is disapproved
	block blockRecord
	raw   []byte
}

// encode: void 1, hash of the block 32, hash of the one before 32, time 4,
// transaction.
func (s *stray) encode() []byte {
	b := make([]byte, 1, strayHead+len(s.raw))
	if s.void {
		b[0] = 1
	}
	return append(append(b, s.block.encode()...), s.raw...)
}

// strayHead is the length of what precedes the transaction in a stray's record.
const strayHead = 69

func decodeStray(b []byte) (s stray, ok bool) {
	d := decoder{b: b}
	void := d.u8()
	s.block, ok = decodeBlock(d.bytes(strayHead - 1))
	s.void, s.raw = void == 1, d.rest()
	return s, ok && d.ok() && void <= 1 && len(s.raw) > 0
}

// stray reads one by its key, as a transaction to be applied.
func (c *change) stray(key []byte) (*blockTx, bool) {
	s, ok := decodeStray(c.strays.Get(key))
	msg, parsed := parseTx(s.raw)
	if !ok || !parsed || len(key) != 9 {
		c.fail(corrupt("stray %.40x", key))
		return nil, false
	}
	return &blockTx{
		msg: msg, height: be.Uint32(key), tree: int8(key[4]), pos: be.Uint32(key[5:]),
		void: s.void, block: &s.block,
	}, true
}

// holed reports whether any script has been tested on blocks above some that it
// still has to be tested on.
func (w *Wallet) holed() bool {
	for _, g := range w.groups {
		if g.holed() {
			return true
		}
	}
	return false
}

// noteStrays keeps those of a block's transactions that may spend coins yet to be
// found.
func (c *change) noteStrays(txs []*blockTx) {
	for _, t := range txs {
		key, may := orderKey(t.height, t.tree, t.pos), false
		for _, in := range t.msg.TxIn {
			switch op := spent(in); {
			case op == nothing, c.coins.Get(op.key()) != nil:
			case c.mayBeOurs(in):
				c.put(c.straySpends, strayKey(in, key), nil)
				may = true
			default:
				c.noteStranger(op, t.height)
			}
		}
		if !may {
			continue
		}
		raw, err := t.msg.Bytes()
		if err != nil {
			c.fail(err)
		}
		s := stray{t.void, *t.block, raw}
		c.put(c.strays, key, s.encode())
	}
}

func strayKey(in *wire.TxIn, key []byte) []byte {
	return append(outPointKey(&in.PreviousOutPoint.Hash, in.PreviousOutPoint.Index), key...)
}

// mayBeOurs reports whether an input that spends no coin of the wallet looks as if
// it might spend one that is yet to be found.
func (c *change) mayBeOurs(in *wire.TxIn) bool {
	hash := shownHash(in)
	if c.w.veils() || hash == nil || c.w.points[spent(in)] != nil {
		return true
	}
	for _, raw := range hashScripts(hash) {
		if c.w.scripts[raw] != nil {
			return true
		}
	}
	return false
}

// shownHash is the hash in the script that an input spends, if the input shows what
// that is of in one of the two usual forms: a signature and a public key, or
// signatures and a multisignature script. All others are nil: those of rare scripts,
// and the empty one that gives a missed ticket back (DCP0009).
func shownHash(in *wire.TxIn) []byte {
	var pushed [][]byte
	t := txscript.MakeScriptTokenizer(0, in.SignatureScript)
	for t.Next() {
		pushed = append(pushed, t.Data())
	}
	if t.Err() != nil || len(pushed) < 2 {
		return nil
	}
	last := len(pushed) - 1
	for _, sig := range pushed[:last] {
		if len(sig) < 9 || len(sig) > 73 || sig[0] != 0x30 { // DER, and the hash type
			return nil
		}
	}
	key := last == 1 && len(pushed[last]) == 33 && (pushed[last][0] == 2 || pushed[last][0] == 3)
	if !key && !stdscript.IsMultiSigScriptV0(pushed[last]) {
		return nil
	}
	return dcrutil.Hash160(pushed[last])
}

// foundStrays are the strays that spend coins found since it was last called, in
// the order in which they are in the chain. What strangers spend of these is to be
// tested again.
func (c *change) foundStrays() (txs []*blockTx) {
	var keys [][]byte
	cur := c.straySpends.Cursor()
	for _, coin := range c.found {
		c.retestStrangers(coin)
		for k, _ := cur.Seek(coin); bytes.HasPrefix(k, coin); k, _ = cur.Next() {
			keys = append(keys, bytes.Clone(k[len(coin):]))
		}
	}
	c.found = nil
	slices.SortFunc(keys, bytes.Compare)
	for _, key := range slices.CompactFunc(keys, bytes.Equal) {
		if t, ok := c.stray(key); ok {
			txs = append(txs, t)
		}
	}
	return txs
}

// voidAt is the record of a block of which there are strays that are void.
func (c *change) voidAt(height uint32) (blockRecord, bool) {
	prefix := orderKey(height, wire.TxTreeRegular, 0)[:5]
	k, _ := c.strays.Cursor().Seek(prefix)
	if !bytes.HasPrefix(k, prefix) {
		return blockRecord{}, false
	}
	t, ok := c.stray(k)
	if !ok || !t.void { // all are, or none
		return blockRecord{}, false
	}
	return *t.block, true
}

// voidStrays notes that a block's regular transactions are void.
func (c *change) voidStrays(height uint32) {
	prefix := orderKey(height, wire.TxTreeRegular, 0)[:5]
	records := make(map[string][]byte)
	cur := c.strays.Cursor()
	for k, v := cur.Seek(prefix); bytes.HasPrefix(k, prefix); k, v = cur.Next() {
		s, ok := decodeStray(v)
		if !ok {
			c.fail(corrupt("stray %.40x", k))
		}
		s.void = true
		records[string(k)] = s.encode()
	}
	for k, v := range records {
		c.put(c.strays, []byte(k), v)
	}
}

// cutStrays removes the strays above a height.
func (c *change) cutStrays(height uint32) {
	var gone []*blockTx
	cur := c.strays.Cursor()
	for k, _ := cur.Last(); k != nil; k, _ = cur.Prev() {
		t, ok := c.stray(k)
		if !ok || t.height <= height {
			break
		}
		gone = append(gone, t)
	}
	for _, t := range gone {
		key := orderKey(t.height, t.tree, t.pos)
		for _, in := range t.msg.TxIn {
			c.del(c.straySpends, strayKey(in, key))
		}
		c.del(c.strays, key)
	}
}

// dropStrays removes all strays, once there is nothing left that they may spend.
func (c *change) dropStrays() {
	first := func(b *bbolt.Bucket) []byte {
		k, _ := b.Cursor().First()
		return k
	}
	if c.err != nil || first(c.strays) == nil && first(c.strangers) == nil || c.w.holed() {
		return
	}
	for name, b := range map[string]**bbolt.Bucket{
		"strays": &c.strays, "strayspends": &c.straySpends, "strangers": &c.strangers,
	} {
		tx := (*b).Tx()
		if err := tx.DeleteBucket([]byte(name)); err != nil {
			c.fail(err)
		}
		fresh, err := tx.CreateBucket([]byte(name))
		if err != nil {
			c.fail(err)
			return
		}
		*b, c.wrote = fresh, true
	}
}
