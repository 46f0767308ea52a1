package wallet

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/wire"
)

// birthdays are scripts and outpoints (see pointKey) and their birthdays.
type birthdays map[string]uint32

// truth is what a wallet with a watch set has to find in a chain: the result of
// reading every transaction of every block. It shares no code with the wallet.
type truth struct {
	set     birthdays
	coins   map[wire.OutPoint]*truthCoin // unspent
	credits map[wire.OutPoint]*truthCoin // ever made
	tickets map[wire.OutPoint]*wire.MsgTx

	ticketOrder []wire.OutPoint
	history     []truthTx
	mined       map[hash]uint32        // every transaction that counts
	spent       map[wire.OutPoint]hash // every output spent, and by what
	void        map[*wire.MsgTx]uint32 // of disapproved blocks; none is mined again
}

type truthCoin struct {
	op     wire.OutPoint
	amount int64
	height uint32
	kind   byte // stake opcode; 0 regular, 1 coinbase
	expiry bool
	script string
}

type truthTx struct {
	id     hash
	tree   int
	height uint32
	block  hash
	net    int64
}

// reading is the truth of a chain up to a block.
type reading struct {
	truth      *truth
	block      hash
	lastCounts bool
}

// read reads the chain up to a height. The regular transactions of that block
// count if lastCounts. What was read lately is not read again: each step compares
// the wallet with the same chain several times.
func (k *cast) read(set birthdays, height uint32, lastCounts bool) *truth {
	block := k.c.id(height).Hash
	for _, r := range *k.lately {
		if r.block == block && r.lastCounts == lastCounts && maps.Equal(r.truth.set, set) {
			return r.truth
		}
	}
	t := k.readAll(maps.Clone(set), height, lastCounts)
	*k.lately = append(*k.lately, reading{t, block, lastCounts})
	if len(*k.lately) > 4 {
		*k.lately = (*k.lately)[1:]
	}
	return t
}

func (k *cast) readAll(set birthdays, height uint32, lastCounts bool) *truth {
	t := &truth{
		set: set, coins: make(map[wire.OutPoint]*truthCoin), credits: make(map[wire.OutPoint]*truthCoin),
		tickets: make(map[wire.OutPoint]*wire.MsgTx), mined: make(map[hash]uint32),
		spent: make(map[wire.OutPoint]hash), void: make(map[*wire.MsgTx]uint32),
	}
	for h := uint32(1); h <= height; h++ {
		b := k.c.blocks[h]
		counts := lastCounts
		if h < height {
			counts = k.c.blocks[h+1].Header.VoteBits&1 == 1
		}
		block := k.c.id(h).Hash
		for tree, txs := range [][]*wire.MsgTx{b.Transactions, b.STransactions} {
			for pos, tx := range txs {
				if tree == 0 && !counts {
					t.void[tx] = h
					continue
				}
				t.readTx(k.id(tx), tx, tree, pos, h, block)
			}
		}
	}
	for tx := range t.void {
		if _, mined := t.mined[k.id(tx)]; mined {
			delete(t.void, tx)
		}
	}
	return t
}

func (t *truth) readTx(id hash, tx *wire.MsgTx, tree, pos int, height uint32, block hash) {
	t.mined[id] = height
	net, ours := int64(0), false
	for _, in := range tx.TxIn {
		op := in.PreviousOutPoint
		if op.Hash == (chainhash.Hash{}) {
			continue
		}
		t.spent[op] = id
		delete(t.tickets, op)
		if coin := t.coins[op]; coin != nil {
			net -= coin.amount
			ours = true
			delete(t.coins, op)
		}
	}
	for i, out := range tx.TxOut {
		op := wire.OutPoint{Hash: id, Index: uint32(i), Tree: int8(tree)}
		kind, script := byte(0), string(out.PkScript)
		switch {
		case tree == 1 && len(script) > 0 && bytes.IndexByte([]byte{0xba, 0xbb, 0xbc, 0xbd, 0xc3}, script[0]) >= 0:
			kind, script = script[0], script[1:]
		case tree == 0 && pos == 0:
			kind = 1
		}
		amount := out.Value
		if kind == 0xba {
			t.tickets[op] = tx
			t.ticketOrder = append(t.ticketOrder, op)
			amount, script = promised(tx, func(script string) bool { return t.paysBy(OutPoint{id, 0, []byte(script)}, height) })
		} else if !t.paysBy(OutPoint{id, uint32(i), []byte(script)}, height) || out.Version != 0 {
			amount = 0
		}
		if amount == 0 {
			continue
		}
		coin := &truthCoin{op, amount, height, kind, tx.Expiry != 0, script}
		t.coins[op], t.credits[op] = coin, coin
		net += amount
		ours = true
	}
	if ours {
		t.history = append(t.history, truthTx{id, tree, height, block, net})
	}
}

func (t *truth) pays(script string, height uint32) bool {
	from, ok := t.set[script]
	return ok && from <= height
}

// has reports whether an outpoint is watched by itself.
func (set birthdays) has(o OutPoint, height uint32) bool {
	from, ok := set[pointKey(o)]
	return ok && from <= height
}

// paysBy reports whether an output is watched, by its script or by itself.
func (t *truth) paysBy(o OutPoint, height uint32) bool {
	return t.pays(string(o.Script), height) || t.set.has(o, height)
}

// promise is what a ticket commits to pay for one of its inputs.
type promise struct {
	script string
	amount int64
}

// promises are those of a ticket, and their sum.
func promises(ticket *wire.MsgTx) (all []promise, whole int64) {
	for i := 1; i < len(ticket.TxOut); i += 2 {
		raw := ticket.TxOut[i].PkScript
		p := promise{"\x76\xa9\x14" + string(raw[2:22]) + "\x88\xac", int64(binary.LittleEndian.Uint64(raw[22:30]) &^ (1 << 63))}
		if raw[29]&0x80 != 0 {
			p.script = "\xa9\x14" + string(raw[2:22]) + "\x87"
		}
		all = append(all, p)
		whole += p.amount
	}
	return all, whole
}

// promised is the part of a ticket's price that some scripts get, and the first of
// them.
func promised(ticket *wire.MsgTx, ours func(script string) bool) (amount int64, first string) {
	all, whole := promises(ticket)
	for _, p := range all {
		if !ours(p.script) {
			continue
		}
		if amount += p.amount; first == "" {
			first = p.script
		}
	}
	if amount == 0 {
		return 0, ""
	}
	return ticket.TxOut[0].Value * amount / whole, first
}

// promisedTo reports whether a ticket commits to pay a script.
func promisedTo(ticket *wire.MsgTx, script string) bool {
	all, _ := promises(ticket)
	return slices.ContainsFunc(all, func(p promise) bool { return p.script == script })
}

// matures is the height of the first block that may spend the coin.
func (c *truthCoin) matures() uint32 {
	switch {
	case c.expiry, c.kind == 1, c.kind == 0xbb, c.kind == 0xbc, c.kind == 0xc3:
		return c.height + 16
	case c.kind == 0xbd:
		return c.height + 1
	}
	return c.height
}

// mature: the block after tip may spend it.
func (c *truthCoin) mature(tip uint32) bool { return c.kind != 0xba && c.matures() <= tip+1 }

func (t *truth) sortedCoins() []*truthCoin {
	out := make([]*truthCoin, 0, len(t.coins))
	for _, coin := range t.coins {
		out = append(out, coin)
	}
	slices.SortFunc(out, func(a, b *truthCoin) int {
		if c := bytes.Compare(a.op.Hash[:], b.op.Hash[:]); c != 0 {
			return c
		}
		return int(a.op.Index) - int(b.op.Index)
	})
	return out
}

// sortedTickets are those that have neither voted nor been revoked.
func (t *truth) sortedTickets() []*wire.MsgTx {
	var out []*wire.MsgTx
	for _, op := range t.ticketOrder {
		if tx := t.tickets[op]; tx != nil {
			out = append(out, tx)
		}
	}
	return out
}

// lines are the history and the unspent outputs in words.
func (t *truth) lines(tip uint32) (history, coins []string, spendable, immature, staked int64) {
	for _, tx := range t.history {
		history = append(history, historyLine(tx.id, int8(tx.tree), tx.height, tx.block, tx.net))
	}
	for _, c := range t.sortedCoins() {
		coins = append(coins, coinLine(c.op.Hash, c.op.Index, c.op.Tree, c.amount, c.height, c.script, c.mature(tip)))
		switch {
		case c.kind == 0xba:
			staked += c.amount
		case c.mature(tip):
			spendable += c.amount
		default:
			immature += c.amount
		}
	}
	return history, coins, spendable, immature, staked
}

func historyLine(id hash, tree int8, height uint32, block hash, net int64) string {
	return fmt.Sprintf("%v tree %d height %d block %v net %d", id, tree, height, block, net)
}

func coinLine(id hash, index uint32, tree int8, amount int64, height uint32, script string, spendable bool) string {
	return fmt.Sprintf("%v:%d tree %d amount %d height %d script %x spendable %v", id, index, tree, amount, height, script, spendable)
}

// used is how many indices of each branch are in use, at least, by what a chain
// holds: an index counts if the gap behind the highest one in use below it
// reaches it.
func (k *cast) used(key int, a *castAccount, height uint32) (used [2]int) {
	for grown := true; grown; {
		grown = false
		use := func(script string) {
			at, ok := k.index[script]
			if ok && at.key == key && (a.pubKeys || !at.pubKey) && at.index < used[at.branch]+int(a.gap) && at.index >= used[at.branch] {
				used[at.branch] = at.index + 1
				grown = true
			}
		}
		for h := max(a.from, 1); h <= height; h++ {
			for tree, txs := range [][]*wire.MsgTx{k.c.blocks[h].Transactions, k.c.blocks[h].STransactions} {
				for _, tx := range txs {
					if tree == 1 && isTicket(tx) {
						all, _ := promises(tx)
						for _, p := range all {
							use(p.script)
						}
					}
					for _, out := range tx.TxOut {
						if out.Version == 0 && out.Value > 0 && !(tree == 1 && isTicket(tx) && len(out.PkScript) > 0 && out.PkScript[0] == 0xba) {
							use(string(untagged(tree, out.PkScript)))
						}
					}
				}
			}
		}
	}
	return used
}

func untagged(tree int, script []byte) []byte {
	if tree == 1 && len(script) > 0 && bytes.IndexByte([]byte{0xba, 0xbb, 0xbc, 0xbd, 0xc3}, script[0]) >= 0 {
		return script[1:]
	}
	return script
}
