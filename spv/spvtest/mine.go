package spvtest

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"dcrspv/spv/chain"

	"github.com/decred/dcrd/blockchain/standalone/v2"
	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/gcs/v4/blockcf2"
	"github.com/decred/dcrd/wire"
)

// headerVersion is the block version of dcrd since blake3 (DCP0011).
const headerVersion = 11

// Template says what is special about a block.
type Template struct {
	// Txs are its transactions besides the coinbase, of both trees; which one
	// a transaction belongs to is seen from its form.
	Txs []*wire.MsgTx

	// Coinbase are outputs of the coinbase; nil pays nobody's script.
	Coinbase []*wire.TxOut

	// Disapprove makes the votes of this block reject the regular transactions
	// of the block before (its coinbase too), as if they had never been mined.
	Disapprove bool

	// Time is the block's time, in whole seconds; zero is the usual distance
	// after the block before.
	Time time.Time
}

// Mine adds n filler blocks: a coinbase to nobody's script.
func (c *Chain) Mine(n int) {
	for range n {
		height := c.tip.Height + 1
		b := &wire.MsgBlock{Transactions: []*wire.MsgTx{c.fillerCoinbase(height)}}
		c.add(b, Template{})
	}
}

// MineBlock adds a block with these transactions, of either tree, in this order.
func (c *Chain) MineBlock(txs ...*wire.MsgTx) chain.BlockID {
	return c.MineTemplate(Template{Txs: txs})
}

// MineTemplate adds a block made to order.
func (c *Chain) MineTemplate(t Template) chain.BlockID {
	height := c.tip.Height + 1
	coinbase := c.fillerCoinbase(height)
	if t.Coinbase != nil {
		coinbase = c.coinbase(height, t.Coinbase)
	}
	sp := &special{txs: []*wire.MsgTx{coinbase}}
	for _, tx := range t.Txs {
		if treeOf(tx) == wire.TxTreeRegular {
			sp.txs = append(sp.txs, tx)
		} else {
			sp.stxs = append(sp.stxs, tx)
		}
	}
	for _, tx := range slices.Concat(sp.txs, sp.stxs) {
		c.ledger.record(tx)
	}
	c.mu.Lock()
	c.special[height] = sp
	c.mu.Unlock()
	c.add(&wire.MsgBlock{Transactions: sp.txs, STransactions: sp.stxs}, t)
	return c.tip
}

// add completes the header of a block that has its transactions, and appends it.
func (c *Chain) add(b *wire.MsgBlock, t Template) {
	prev := c.header(c.tip.Height)
	c.fillHeader(&b.Header, prev, t)
	// Since DCP0005 one root covers both trees, and the other commits to the
	// filter. That commitment has one leaf: the root is the filter's hash.
	committed := c.config.rules.CommitmentsAt(b.Header.Height)
	if committed {
		b.Header.MerkleRoot = standalone.CalcCombinedTxTreeMerkleRoot(b.Transactions, b.STransactions)
	} else {
		b.Header.MerkleRoot = standalone.CalcTxTreeMerkleRoot(b.Transactions)
		b.Header.StakeRoot = standalone.CalcTxTreeMerkleRoot(b.STransactions)
	}
	filter, err := blockcf2.Regular(b, c.ledger)
	if err != nil {
		panic(fmt.Sprintf("spvtest: filter of block %d: %v", b.Header.Height, err))
	}
	if committed {
		b.Header.StakeRoot = filter.Hash()
	}
	b.Header.Size = uint32(b.SerializeSize())

	h := chain.HeaderFromWire(&b.Header)
	c.target.set(h.Bits())
	c.target.solve(c.config.rules, &h)
	c.push(&h, h.Hash(), filter.Bytes())
}

// target is a difficulty in the form that comparing takes.
type target struct {
	bits  uint32
	limit [32]byte // big endian
}

// set changes the target to that of a compact form.
func (t *target) set(bits uint32) {
	if t.bits != bits {
		t.bits = bits
		standalone.CompactToBig(bits).FillBytes(t.limit[:])
	}
}

// met reports whether a hash is enough work.
func (t *target) met(hash chainhash.Hash) bool {
	slices.Reverse(hash[:])
	return bytes.Compare(hash[:], t.limit[:]) <= 0
}

// solve changes the nonce until the header has its work.
func (t *target) solve(r *chain.Rules, h *chain.Header) {
	for !t.met(r.PowHash(h)) {
		nonce := h[offNonce : offNonce+4]
		binary.LittleEndian.PutUint32(nonce, h.Nonce()+1)
	}
}

// remine gives a changed header the work that its bits ask for.
func remine(r *chain.Rules, h *chain.Header) {
	var t target
	t.set(h.Bits())
	t.solve(r, h)
}
