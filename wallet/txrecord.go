package wallet

import (
	"dcrspv/spv/chain"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/dcrutil/v4"
	"github.com/decred/dcrd/wire"
)

// txRecord is a transaction in the chain that concerns the wallet.
type txRecord struct {
	height uint32
	pos    uint32 // in its tree of the block
	tree   int8
	credit dcrutil.Amount // paid to watched scripts
	debit  dcrutil.Amount // taken from coins of the wallet
	raw    []byte         // the serialized transaction
}

func (r *txRecord) setSums(s *summary) { r.credit, r.debit = s.credit, s.debit }

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

// parseTx is the transaction itself.
func parseTx(raw []byte) (*wire.MsgTx, bool) {
	tx := new(wire.MsgTx)
	return tx, tx.FromBytes(raw) == nil
}

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

func (r *blockRecord) id(height uint32) chain.BlockID {
	return chain.BlockID{Height: height, Hash: r.hash}
}

// tx reads a transaction of the history.
func (c *change) tx(id hash) (txRecord, *wire.MsgTx, bool) {
	v := c.txs.Get(id[:])
	if v == nil {
		return txRecord{}, nil, false
	}
	r, ok := decodeTx(v)
	msg, parsed := parseTx(r.raw)
	if !ok || !parsed {
		c.fail(corrupt("transaction %v", id))
		return r, nil, false
	}
	return r, msg, true
}

// namedTx reads a transaction of the history that another record names.
func (c *change) namedTx(id hash) (txRecord, *wire.MsgTx, bool) {
	r, msg, ok := c.tx(id)
	if !ok {
		c.fail(corrupt("transaction %v is missing", id))
	}
	return r, msg, ok
}

func (c *change) block(height uint32) blockRecord {
	r, ok := decodeBlock(c.blocks.Get(key32(height)))
	if !ok {
		c.fail(corrupt("block %d", height))
	}
	return r
}

// minedTx reads a transaction of the history.
func (b *buckets) minedTx(id hash) (*wire.MsgTx, error) {
	r, ok := decodeTx(b.txs.Get(id[:]))
	tx, parsed := parseTx(r.raw)
	if !ok || !parsed || len(tx.TxOut) == 0 {
		return nil, corrupt("transaction %v", id)
	}
	return tx, nil
}

func orderKey(height uint32, tree int8, pos uint32) []byte {
	k := be.AppendUint32(make([]byte, 0, 9), height)
	return be.AppendUint32(append(k, byte(tree)), pos)
}
