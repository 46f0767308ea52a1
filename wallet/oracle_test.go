package wallet

import (
	"fmt"
	"math/rand/v2"
	"sort"
	"testing"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/wire"
)

// oracle knows every script from the start and reads every block of a chain.
// It shares no code with the wallet.
type oracle struct {
	from  map[string]uint32    // birthday of each script
	index map[string][2]uint32 // branch and index of those of an account
}

// oracleCoin is an unspent output.
type oracleCoin struct {
	op     wire.OutPoint
	amount int64
	height uint32
	kind   byte // stake opcode; 0 regular, 1 coinbase
	expiry bool
	tx     *wire.MsgTx
}

type oracleState struct {
	coins   map[wire.OutPoint]*oracleCoin
	history []string
	used    [2]uint32 // next index after the highest one used
	lost    []*wire.MsgTx
}

// strip takes the stake opcode off.
func strip(tree int, script []byte) (byte, string) {
	if tree == 1 && len(script) > 0 {
		switch script[0] {
		case 0xba, 0xbb, 0xbc, 0xbd, 0xc3:
			return script[0], string(script[1:])
		}
	}
	return 0, string(script)
}

// read gives the state after the last block, whose regular transactions count
// if lastCounts.
func (o *oracle) read(c *world, lastCounts bool) *oracleState {
	s := &oracleState{coins: make(map[wire.OutPoint]*oracleCoin)}
	mined := make(map[chainhash.Hash]bool)
	for h := uint32(1); h <= c.height(); h++ {
		b := c.blocks[h]
		counts := lastCounts
		if h < c.height() {
			counts = c.blocks[h+1].Header.VoteBits&1 == 1
		}
		for tree, txs := range [][]*wire.MsgTx{b.Transactions, b.STransactions} {
			for i, tx := range txs {
				if tree == 0 && !counts {
					s.lost = append(s.lost, tx)
					continue
				}
				mined[tx.TxHash()] = true
				o.readTx(s, h, b, tree, i, tx)
			}
		}
	}
	var lost []*wire.MsgTx
	for _, tx := range s.lost {
		if !mined[tx.TxHash()] && !isCoinbase(tx) {
			lost = append(lost, tx)
		}
	}
	s.lost = lost
	return s
}

func (o *oracle) readTx(s *oracleState, h uint32, b *wire.MsgBlock, tree, pos int, tx *wire.MsgTx) {
	id := tx.TxHash()
	net, concerned := int64(0), false
	for _, in := range tx.TxIn {
		if coin := s.coins[in.PreviousOutPoint]; coin != nil {
			net -= coin.amount
			concerned = true
			delete(s.coins, in.PreviousOutPoint)
		}
	}
	for i, out := range tx.TxOut {
		kind, script := strip(tree, out.PkScript)
		amount := out.Value
		watched := func(script string) bool {
			from, ok := o.from[script]
			return ok && from <= h
		}
		if kind == 0xba {
			amount, _ = promised(tx, watched)
		} else if !watched(script) {
			amount = 0
		}
		if amount == 0 {
			continue
		}
		o.use(s, h, script)
		if kind == 0xba {
			all, _ := promises(tx)
			for _, p := range all {
				o.use(s, h, p.script)
			}
		}
		if tree == 0 && pos == 0 {
			kind = 1
		}
		op := wire.OutPoint{Hash: id, Index: uint32(i), Tree: int8(tree)}
		s.coins[op] = &oracleCoin{op, amount, h, kind, tx.Expiry != 0, tx}
		net += amount
		concerned = true
	}
	if concerned {
		s.history = append(s.history, fmt.Sprintf("%v tree %d height %d block %v net %d", id, tree, h, b.BlockHash(), net))
	}
}

func (o *oracle) use(s *oracleState, h uint32, script string) {
	if at, ok := o.index[script]; ok && o.from[script] <= h {
		s.used[at[0]] = max(s.used[at[0]], at[1]+1)
	}
}

// text is the state to compare: history, outputs, balance.
func (s *oracleState) text(tip uint32) []string {
	lines := append([]string(nil), s.history...)
	var spendable, immature, staked int64
	for op, coin := range s.coins {
		free := coin.mature(tip)
		switch {
		case coin.kind == 0xba:
			staked += coin.amount
		case free:
			spendable += coin.amount
		default:
			immature += coin.amount
		}
		lines = append(lines, fmt.Sprintf("%v:%d tree %d %d height %d %v", op.Hash, op.Index, op.Tree, coin.amount, coin.height, free))
	}
	sort.Strings(lines)
	return append(lines, fmt.Sprintf("spendable %d immature %d staked %d", spendable, immature, staked))
}

func (c *oracleCoin) mature(tip uint32) bool {
	switch {
	case c.kind == 0xba:
		return false
	case c.expiry, c.kind == 1, c.kind == 0xbb, c.kind == 0xbc, c.kind == 0xc3:
		return tip+1-c.height >= 16
	}
	return true
}

// textOf is the same of a wallet.
func textOf(t *testing.T, w *Wallet) []string {
	t.Helper()
	var lines []string
	for _, tx := range history(t, w) {
		lines = append(lines, fmt.Sprintf("%v tree %d height %d block %v net %d", tx.TxID, tx.Tree, tx.Height, tx.Block, int64(tx.Net)))
	}
	for _, u := range utxos(t, w) {
		lines = append(lines, fmt.Sprintf("%v:%d tree %d %d height %d %v", u.TxID, u.Index, u.Tree, int64(u.Amount), u.Height, u.Spendable))
	}
	sort.Strings(lines)
	b := balance(t, w)
	return append(lines, fmt.Sprintf("spendable %d immature %d staked %d", int64(b.Spendable), int64(b.Immature), int64(b.Staked)))
}

// life makes random blocks in which a wallet is paid, spends, buys tickets and
// votes.
type life struct {
	rng   *rand.Rand
	c     *world
	o     *oracle
	key   string
	gap   uint32
	addrs []uint64 // watched by themselves
	own   [2][100][]byte
}

func newLife(t *testing.T, rng *rand.Rand, born uint32) *life {
	l := &life{
		rng: rng, c: newWorld(t), gap: 3, key: testXPub(t, 7), addrs: []uint64{1, 2, 3},
		o: &oracle{from: make(map[string]uint32), index: make(map[string][2]uint32)},
	}
	for _, n := range l.addrs {
		l.o.from[string(scriptN(n))] = born
	}
	for branch := range uint32(2) {
		for i := range uint32(100) {
			s := scriptOf(keyAddr(t, l.key, branch, i))
			l.own[branch][i] = s
			l.o.from[string(s)] = born
			l.o.index[string(s)] = [2]uint32{branch, i}
		}
	}
	return l
}

// address chooses one of the wallet's, within what the gap limit finds.
func (l *life) address(s *oracleState) uint32 {
	branch := l.rng.Uint32N(3)
	if branch == 2 {
		return 1 << 31
	}
	return branch<<16 | min(99, l.rng.Uint32N(s.used[branch]+l.gap))
}

// script pays an address as address chose it.
func (l *life) script(a uint32) []byte {
	if a == 1<<31 {
		return scriptN(l.addrs[l.rng.IntN(len(l.addrs))])
	}
	return l.own[a>>16][a&0xffff]
}

func (l *life) pay(s *oracleState) *wire.TxOut {
	return out(l.script(l.address(s)), 1+l.rng.Int64N(1000))
}

// block mines one block.
func (l *life) block() {
	approve := l.c.height() < 2 || l.rng.IntN(6) > 0
	s := l.o.read(l.c, approve)
	var free, tickets []*oracleCoin
	for _, coin := range sortedCoins(s) {
		switch {
		case coin.kind == 0xba:
			tickets = append(tickets, coin)
		case coin.mature(l.c.height()):
			free = append(free, coin)
		}
	}
	var txs []*wire.MsgTx
	for range l.rng.IntN(3) {
		txs = append(txs, l.c.pay(l.pay(s), out(foreignScript(1), 5), l.pay(s)))
	}
	take := func(from *[]*oracleCoin) *oracleCoin {
		if len(*from) == 0 || l.rng.IntN(2) == 0 {
			return nil
		}
		i := l.rng.IntN(len(*from))
		coin := (*from)[i]
		*from = append((*from)[:i:i], (*from)[i+1:]...)
		return coin
	}
	if coin := take(&free); coin != nil && coin.amount > 2 {
		pay := l.pay(s)
		pay.Value = max(min(pay.Value, coin.amount-2), 1)
		tx := l.c.spend([]wire.OutPoint{coin.op}, out(foreignScript(2), 1), pay)
		txs = append(txs, tx)
		if l.rng.IntN(2) == 0 { // spent in the same block
			txs = append(txs, l.c.spend([]wire.OutPoint{opOf(tx, 1)}, out(foreignScript(3), 1)))
		}
	}
	if coin := take(&free); coin != nil {
		txs = append(txs, l.c.ticket(coin.op, addr(1), addr(2), coin.amount/2, coin.amount/3))
	}
	if coin := take(&tickets); coin != nil && l.rng.IntN(2) == 0 {
		txs = append(txs, l.c.vote(coin.tx, addr(2), coin.amount+1))
	}
	if l.rng.IntN(4) == 0 {
		txs = append(txs, l.c.coinbase(l.script(l.address(s)), 77))
	}
	// Transactions of a disapproved block come again, or never.
	spent := make(map[wire.OutPoint]bool)
	for _, tx := range txs {
		for _, in := range tx.TxIn {
			spent[in.PreviousOutPoint] = true
		}
	}
	for _, tx := range s.lost {
		op := tx.TxIn[0].PreviousOutPoint
		if known := l.o.knows(l.c.prev[op]); !spent[op] && (!known || s.coins[op] != nil) && l.rng.IntN(2) == 0 {
			txs = append(txs, tx)
			spent[op] = true
		}
	}
	l.c.mineVoted(approve, txs...)
}

func (o *oracle) knows(out *wire.TxOut) bool {
	for tree := range 2 {
		_, script := strip(tree, out.PkScript)
		if _, ok := o.from[script]; ok {
			return true
		}
	}
	return false
}

func sortedCoins(s *oracleState) []*oracleCoin {
	var out []*oracleCoin
	for _, coin := range s.coins {
		out = append(out, coin)
	}
	sort.Slice(out, func(i, j int) bool {
		if out[i].op.Hash != out[j].op.Hash {
			return out[i].op.Hash.String() < out[j].op.Hash.String()
		}
		return out[i].op.Index < out[j].op.Index
	})
	return out
}
