package wallet

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"dcrspv/filters"
	"dcrspv/spv"
	"dcrspv/spv/chain"

	"github.com/decred/dcrd/blockchain/stake/v5"
	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/chaincfg/v3"
	"github.com/decred/dcrd/gcs/v4/blockcf2"
	"github.com/decred/dcrd/txscript/v4/stdaddr"
	"github.com/decred/dcrd/wire"
)

var params = chaincfg.SimNetParams()

// world is a chain of blocks made by hand, with the filters that nodes serve
// for them.
type world struct {
	t       *testing.T
	blocks  []*wire.MsgBlock
	filters [][]byte
	prev    map[wire.OutPoint]*wire.TxOut // every output ever made, on any branch
	unique  *uint64                       // shared by forks
	price   int64                         // of a ticket, in the headers of blocks to come
}

func newWorld(t *testing.T) *world {
	return &world{
		t: t, unique: new(uint64), prev: make(map[wire.OutPoint]*wire.TxOut),
		blocks: []*wire.MsgBlock{params.GenesisBlock}, filters: [][]byte{nil},
	}
}

func (c *world) next() uint64 { *c.unique++; return *c.unique }

// fork is a chain that shares the blocks up to a height.
func (c *world) fork(height uint32) *world {
	f := *c
	f.blocks = slices.Clone(c.blocks[:height+1])
	f.filters = slices.Clone(c.filters[:height+1])
	return &f
}

func (c *world) height() uint32 { return uint32(len(c.blocks) - 1) }

func (c *world) id(height uint32) chain.BlockID {
	return chain.BlockID{Height: height, Hash: c.blocks[height].BlockHash()}
}

func (c *world) contains(id chain.BlockID) bool {
	return id.Height <= c.height() && c.id(id.Height) == id
}

// mine adds a block. Its first regular transaction is a coinbase to nobody,
// unless one of txs is one. Stake transactions find their tree
// themselves.
func (c *world) mine(txs ...*wire.MsgTx) *wire.MsgBlock { return c.mineVoted(true, txs...) }

// mineVoted adds a block whose votes approve of the previous block, or do not.
func (c *world) mineVoted(approve bool, txs ...*wire.MsgTx) *wire.MsgBlock {
	b := &wire.MsgBlock{Header: wire.BlockHeader{
		PrevBlock: c.id(c.height()).Hash,
		Height:    c.height() + 1,
		Timestamp: time.Unix(1_700_000_000+300*int64(c.height()), 0),
		SBits:     c.price,
	}}
	if approve {
		b.Header.VoteBits = 1
	}
	if i := slices.IndexFunc(txs, isCoinbase); i >= 0 {
		b.Transactions = []*wire.MsgTx{txs[i]}
		txs = slices.Delete(txs, i, i+1)
	} else {
		b.Transactions = []*wire.MsgTx{c.coinbase(foreignScript(c.next()), 1)}
	}
	for _, tx := range txs {
		if isStake(tx) {
			b.STransactions = append(b.STransactions, tx)
		} else {
			b.Transactions = append(b.Transactions, tx)
		}
	}
	binary.LittleEndian.PutUint64(b.Header.MerkleRoot[:], c.next())
	for tree, txs := range [][]*wire.MsgTx{b.Transactions, b.STransactions} {
		for _, tx := range txs {
			id := tx.TxHash()
			register(tx)
			for i, out := range tx.TxOut {
				c.prev[wire.OutPoint{Hash: id, Index: uint32(i), Tree: int8(tree)}] = out
			}
		}
	}
	c.sign(b)
	filter, err := blockcf2.Regular(b, c)
	if err != nil {
		c.t.Fatal(err)
	}
	c.blocks = append(c.blocks, b)
	c.filters = append(c.filters, filter.Bytes())
	return b
}

// PrevScript serves the filter builder.
func (c *world) PrevScript(op *wire.OutPoint) (uint16, []byte, bool) {
	out, ok := c.prev[*op]
	if !ok {
		return 0, nil, false
	}
	return out.Version, out.PkScript, true
}

func isCoinbase(tx *wire.MsgTx) bool {
	op := &tx.TxIn[0].PreviousOutPoint
	return len(tx.TxIn) == 1 && op.Index == wire.MaxPrevOutIndex && op.Hash == chainhash.Hash{} && !isStake(tx)
}

// isStake tells by the tags of the outputs, which also works for transactions
// that are not quite valid.
func isStake(tx *wire.MsgTx) bool {
	if stake.DetermineTxType(tx) != stake.TxTypeRegular {
		return true
	}
	for _, out := range tx.TxOut {
		if kind, _ := untag(wire.TxTreeStake, 0, out.PkScript); kind != Regular {
			return true
		}
	}
	return false
}

func out(script []byte, amount int64) *wire.TxOut { return wire.NewTxOut(amount, script) }

// coinbase pays a new block's reward.
func (c *world) coinbase(script []byte, amount int64) *wire.MsgTx {
	tx := wire.NewMsgTx()
	tx.AddTxIn(&wire.TxIn{
		PreviousOutPoint: wire.OutPoint{Index: wire.MaxPrevOutIndex},
		Sequence:         wire.MaxTxInSequenceNum,
		SignatureScript:  binary.LittleEndian.AppendUint64(nil, c.next()),
	})
	tx.AddTxOut(out(script, amount))
	// Two coinbases differ in their prefix through an output with the height.
	tx.AddTxOut(out(append([]byte{0x6a, 8}, binary.LittleEndian.AppendUint64(nil, c.next())...), 0))
	return tx
}

// pay is a transaction from somebody else.
func (c *world) pay(outs ...*wire.TxOut) *wire.MsgTx { return c.spend(nil, outs...) }

// spend is a transaction that spends the given outputs, or somebody else's.
func (c *world) spend(ops []wire.OutPoint, outs ...*wire.TxOut) *wire.MsgTx {
	tx := wire.NewMsgTx()
	if len(ops) == 0 {
		ops = []wire.OutPoint{c.foreignOutput()}
	}
	for _, op := range ops {
		tx.AddTxIn(wire.NewTxIn(&op, wire.NullValueIn, nil))
	}
	tx.TxOut = outs
	if len(outs) == 0 {
		tx.AddTxOut(out(foreignScript(c.next()), 1))
	}
	register(tx)
	return tx
}

// foreignOutput is an output of nobody we know.
func (c *world) foreignOutput() wire.OutPoint {
	n := c.next()
	op := wire.OutPoint{Hash: chainhash.HashH(binary.LittleEndian.AppendUint64(nil, n))}
	c.prev[op] = out(foreignScript(n), 1)
	return op
}

// ticket buys a ticket with one output. It commits to pay what that puts in.
func (c *world) ticket(op wire.OutPoint, voting, reward stdaddr.StakeAddress, price, change int64) *wire.MsgTx {
	in := price
	if out, ok := made.Load(outPoint{op.Hash, op.Index}); ok {
		in = out.(*wire.TxOut).Value - change
	}
	return c.sharedTicket([]wire.OutPoint{op}, voting, price, stakePart{reward, in, change})
}

// stakePart is whom a ticket pays for one of its inputs, what that put in, and its change.
type stakePart struct {
	reward         stdaddr.StakeAddress
	amount, change int64
}

// sharedTicket buys a ticket together: there is a part for each output.
func (c *world) sharedTicket(ops []wire.OutPoint, voting stdaddr.StakeAddress, price int64, parts ...stakePart) *wire.MsgTx {
	_, rights := voting.VotingRightsScript()
	outs := []*wire.TxOut{out(rights, price)}
	for _, s := range parts {
		_, commit := s.reward.RewardCommitmentScript(s.amount, 0, 0)
		_, rest := s.reward.StakeChangeScript()
		outs = append(outs, out(commit, 0), out(rest, s.change))
	}
	return c.spend(ops, outs...)
}

// vote lets a ticket vote and pays an address.
func (c *world) vote(ticket *wire.MsgTx, reward stdaddr.StakeAddress, amount int64) *wire.MsgTx {
	_, pay := reward.PayVoteCommitmentScript()
	return c.voteFor(ticket, out(pay, amount))
}

func (c *world) voteFor(ticket *wire.MsgTx, pay ...*wire.TxOut) *wire.MsgTx {
	tx := wire.NewMsgTx()
	tx.AddTxIn(wire.NewTxIn(&wire.OutPoint{Index: wire.MaxPrevOutIndex}, wire.NullValueIn, params.StakeBaseSigScript))
	tx.AddTxIn(wire.NewTxIn(wire.NewOutPoint(hashOf(ticket), 0, wire.TxTreeStake), wire.NullValueIn, nil))
	tip := c.id(c.height())
	block := binary.LittleEndian.AppendUint32(append([]byte{0x6a, 36}, tip.Hash[:]...), tip.Height)
	tx.TxOut = append([]*wire.TxOut{out(block, 0), out([]byte{0x6a, 2, 1, 0}, 0)}, pay...)
	return tx
}

// revoke gives a ticket back.
func (c *world) revoke(ticket *wire.MsgTx, reward stdaddr.StakeAddress, amount int64) *wire.MsgTx {
	_, pay := reward.PayRevokeCommitmentScript()
	return c.revokeFor(ticket, out(pay, amount))
}

func (c *world) revokeFor(ticket *wire.MsgTx, pay ...*wire.TxOut) *wire.MsgTx {
	return c.spend([]wire.OutPoint{{Hash: ticket.TxHash(), Tree: wire.TxTreeStake}}, pay...)
}

func hashOf(tx *wire.MsgTx) *chainhash.Hash {
	h := tx.TxHash()
	return &h
}

func opOf(tx *wire.MsgTx, index uint32) wire.OutPoint {
	op := wire.OutPoint{Hash: tx.TxHash(), Index: index}
	if isStake(tx) {
		op.Tree = wire.TxTreeStake
	}
	return op
}

// open makes a wallet in a directory of the test.
func open(t *testing.T) *Wallet {
	t.Helper()
	return openAt(t, filepath.Join(t.TempDir(), "wallet.db"))
}

func openAt(t *testing.T, path string) *Wallet {
	t.Helper()
	w, err := Open(path, params)
	if err != nil {
		t.Fatal(err)
	}
	w.maxAhead = 0
	w.db.NoSync = true // no test cuts the power; TestKilled looks at single writes
	t.Cleanup(func() { w.Close() })
	return w
}

func watch(t *testing.T, w *Wallet, what Watch) {
	t.Helper()
	if err := w.Watch(context.Background(), what); err != nil {
		t.Fatal(err)
	}
}

// watchN watches some of the numbered addresses.
func watchN(t *testing.T, w *Wallet, from uint32, ns ...uint64) {
	t.Helper()
	what := Watch{From: from}
	for _, n := range ns {
		what.Addresses = append(what.Addresses, addr(n).String())
	}
	watch(t, w, what)
}

// locate does what a Syncer does at the start and after a reorg.
func (c *world) locate(w *Wallet) {
	c.t.Helper()
	ids, err := w.Locator(context.Background())
	if err != nil {
		c.t.Fatal(err)
	}
	i := slices.IndexFunc(ids, c.contains)
	if i > 0 {
		if err := w.Rewind(context.Background(), ids[i]); err != nil {
			c.t.Fatal(err)
		}
	} else if i < 0 && len(ids) > 0 {
		c.t.Fatal("the locator does not even hold genesis")
	}
}

// batch answers a scan as the Syncer does: it matches filters and fetches
// blocks. It is cut short behind to.
func (c *world) batch(scan spv.Scan, to uint32) spv.Batch {
	c.t.Helper()
	b := spv.Batch{Scan: scan}
	b.Scan.Range.To = min(to, scan.Range.To)
	b.End, b.Price = c.id(b.Scan.Range.To), c.blocks[b.Scan.Range.To].Header.SBits
	var m filters.Matcher
	for h := b.Scan.Range.From; h <= b.Scan.Range.To; h++ {
		block := c.blocks[h]
		if h > 1 && block.Header.VoteBits&1 == 0 {
			b.Disapproved = append(b.Disapproved, h-1)
		}
		if len(c.filters[h]) == 0 {
			continue
		}
		ok, err := m.Match(scan.Query, blockcf2.Key(&block.Header.MerkleRoot), c.filters[h])
		if err != nil {
			c.t.Fatal(err)
		}
		if !ok {
			continue
		}
		b.Blocks = append(b.Blocks, spv.Block{
			ID: c.id(h), Time: block.Header.Timestamp, Msg: block,
			Disapproved: h < c.height() && c.blocks[h+1].Header.VoteBits&1 == 0,
		})
	}
	return b
}

// step carries out one scan, and reports false if there was no debt.
func (c *world) step(w *Wallet, limit uint32, rng *rand.Rand) bool {
	c.t.Helper()
	scan, ok, err := w.NextScan(context.Background(), limit)
	if err != nil {
		c.t.Fatal(err)
	}
	if !ok {
		return false
	}
	to := scan.Range.To
	if rng != nil {
		to = scan.Range.From + rng.Uint32N(min(to-scan.Range.From, 12)+1)
	}
	if err := w.Apply(context.Background(), c.batch(scan, to)); err != nil {
		c.t.Fatal(err)
	}
	return true
}

// sync brings a wallet to the tip.
func (c *world) sync(w *Wallet) {
	c.t.Helper()
	c.locate(w)
	for c.step(w, c.height(), nil) {
	}
	verify(c.t, w)
}

func verify(t *testing.T, w *Wallet) {
	t.Helper()
	if _, err := w.Verify(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := w.memoryDiffers(); err != nil {
		t.Fatal(err)
	}
}

func balance(t *testing.T, w *Wallet) Balance {
	t.Helper()
	b, err := w.Balance(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func history(t *testing.T, w *Wallet) []Tx {
	t.Helper()
	h, err := w.History(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func utxos(t *testing.T, w *Wallet) []UTXO {
	t.Helper()
	u, err := w.UTXOs(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func unmined(t *testing.T, w *Wallet) []Unmined {
	t.Helper()
	u, err := w.Unmined(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// logged is the event log so far.
func logged(t *testing.T, w *Wallet) []Event {
	t.Helper()
	var out []Event
	for cursor := uint64(0); ; {
		events, err := w.readEvents(context.Background(), cursor)
		if err != nil {
			t.Fatal(err)
		}
		if len(events) == 0 {
			return out
		}
		out = append(out, events...)
		cursor = events[len(events)-1].Seq
	}
}

// kinds are the events of transactions and reorgs, in words.
func kinds(events []Event) []string {
	var out []string
	for _, ev := range events {
		if ev.Kind != EventTip && ev.Kind != EventDerived {
			out = append(out, string(ev.Kind))
		}
	}
	return out
}

// summaryOf is the whole visible state, as text to compare.
func summaryOf(t *testing.T, w *Wallet) string {
	t.Helper()
	s := fmt.Sprintf("%+v\n", balance(t, w))
	for _, tx := range history(t, w) {
		s += fmt.Sprintf("tx %v tree %d height %d in %v at %d net %d\n",
			tx.TxID, tx.Tree, tx.Height, tx.Block, tx.Time.Unix(), tx.Net)
	}
	for _, u := range utxos(t, w) {
		s += fmt.Sprintf("utxo %v:%d tree %d %d height %d %v %s %x %v\n",
			u.TxID, u.Index, u.Tree, u.Amount, u.Height, u.Kind, u.Address, u.Script, u.Spendable)
	}
	for _, u := range unmined(t, w) {
		s += fmt.Sprintf("unmined %v %d\n", u.TxID, u.Net)
	}
	return s
}
