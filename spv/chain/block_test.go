package chain

import (
	"testing"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/chaincfg/v3"
	"github.com/decred/dcrd/crypto/blake256"
	"github.com/decred/dcrd/wire"
)

// copyBlock is a deep enough copy to exchange transactions in.
func copyBlock(b *wire.MsgBlock) *wire.MsgBlock {
	c := *b
	c.Transactions = append([]*wire.MsgTx(nil), b.Transactions...)
	c.STransactions = append([]*wire.MsgTx(nil), b.STransactions...)
	return &c
}

// checkSpoiledBlocks checks that b is accepted and that none of its transactions
// can be exchanged, dropped, added, or moved.
func checkSpoiledBlocks(t *testing.T, r *Rules, b *wire.MsgBlock) {
	t.Helper()
	h := HeaderFromWire(&b.Header)
	if err := r.CheckBlock(&h, b); err != nil {
		t.Fatalf("block %d: %v", h.Height(), err)
	}
	n, s := len(b.Transactions), len(b.STransactions)
	for _, tt := range []struct {
		name  string
		able  bool
		spoil func(c *wire.MsgBlock)
		want  []ErrorKind
	}{
		{"other header", true, func(c *wire.MsgBlock) { c.Header.Nonce++ }, []ErrorKind{ErrBlockMismatch}},
		{"changed output", true, func(c *wire.MsgBlock) {
			tx := c.Transactions[n-1].Copy()
			tx.TxOut[0].Value++
			c.Transactions[n-1] = tx
		}, []ErrorKind{ErrMerkle}},
		{"changed signature", s > 0, func(c *wire.MsgBlock) {
			tx := c.STransactions[s-1].Copy()
			sig := append([]byte(nil), tx.TxIn[0].SignatureScript...)
			sig[0]++
			tx.TxIn[0].SignatureScript = sig
			c.STransactions[s-1] = tx
		}, []ErrorKind{ErrMerkle}},
		{"last transaction twice", true, func(c *wire.MsgBlock) {
			c.Transactions = append(c.Transactions, c.Transactions[n-1])
		}, []ErrorKind{ErrBlockSize}},
		{"stake transaction missing", s > 0, func(c *wire.MsgBlock) {
			c.STransactions = c.STransactions[:s-1]
		}, []ErrorKind{ErrBlockSize}},
		{"order", n > 1, func(c *wire.MsgBlock) {
			c.Transactions[0], c.Transactions[n-1] = c.Transactions[n-1], c.Transactions[0]
		}, []ErrorKind{ErrMerkle}},
		{"trees exchanged", s > 0, func(c *wire.MsgBlock) {
			c.Transactions, c.STransactions = c.STransactions, c.Transactions
		}, []ErrorKind{ErrMerkle}},
	} {
		if !tt.able {
			continue
		}
		c := copyBlock(b)
		tt.spoil(c)
		err := r.CheckBlock(&h, c)
		for _, want := range tt.want {
			if err == nil {
				t.Errorf("block %d, %s: accepted", h.Height(), tt.name)
				continue
			}
			wantErr(t, err, want)
		}
	}
}

// A mainnet block after DCP0005: one root over both trees.
// Rule 11.
func TestCheckBlockOfMainnet(t *testing.T) {
	r := NewRules(chaincfg.MainNetParams())
	b := mainnetBlock432100(t)
	checkSpoiledBlocks(t, r, b)

	// The same block does not pass by the older rule, nor an older one by this.
	h := HeaderFromWire(&b.Header)
	old := *r
	old.commitments = 432101
	wantErr(t, old.CheckBlock(&h, b), ErrMerkle)
}

// Simnet blocks from before DCP0005: each tree has its root.
// Rule 11.
func TestCheckBlockBeforeCommitments(t *testing.T) {
	old, today := simnet(), simnet()
	old.commitments = never
	for height, b := range oldSimnetBlocks(t) {
		h := HeaderFromWire(&b.Header)
		if height == 0 {
			continue // its size is not the one in its header
		}
		if err := old.CheckBlock(&h, b); err != nil {
			t.Fatalf("block %d: %v", height, err)
		}
		wantErr(t, today.CheckBlock(&h, b), ErrMerkle)
		if height == 168 {
			checkSpoiledBlocks(t, old, b)
		}
	}
}

func TestCheckBlockLimits(t *testing.T) {
	r := simnet()
	b := oldSimnetBlocks(t)[168]
	r.commitments = never
	h := HeaderFromWire(&b.Header)
	r.maxBlockSize = b.SerializeSize()
	if err := r.CheckBlock(&h, b); err != nil {
		t.Errorf("at the limit: %v", err)
	}
	r.maxBlockSize--
	wantErr(t, r.CheckBlock(&h, b), ErrBlockSize)

	empty := &wire.MsgBlock{Header: b.Header}
	empty.Header.MerkleRoot, empty.Header.StakeRoot = chainhash.Hash{}, chainhash.Hash{}
	empty.Header.Size = uint32(empty.SerializeSize())
	h = HeaderFromWire(&empty.Header)
	wantErr(t, r.CheckBlock(&h, empty), ErrMerkle)
}

func TestMaxBlockSizes(t *testing.T) {
	want := map[string]int{"mainnet": 393216, "testnet3": 1310720, "simnet": 1310720, "regnet": 1310720}
	for _, p := range networks() {
		if got := NewRules(p).maxBlockSize; got != want[p.Name] {
			t.Errorf("%s: %d, want %d", p.Name, got, want[p.Name])
		}
	}
}

// Rule 11.
func TestCheckFilter(t *testing.T) {
	filter := []byte{1, 2, 3, 4, 5}
	hash := blake256.Sum256(filter)
	for _, tt := range []struct {
		r      *Rules
		height uint32
		checks bool
	}{
		{NewRules(chaincfg.MainNetParams()), 431487, false},
		{NewRules(chaincfg.MainNetParams()), 431488, true},
		{NewRules(chaincfg.TestNet3Params()), 323327, false},
		{NewRules(chaincfg.TestNet3Params()), 323328, true},
		{simnet(), 0, false},
		{simnet(), 1, true},
	} {
		var h Header
		setHeight(&h, tt.height)
		h[offSize] = 180
		copy(h[offStakeRoot:], hash[:])
		if err := tt.r.CheckFilter(&h, filter); err != nil {
			t.Errorf("%s %d: %v", tt.r.params.Name, tt.height, err)
		}
		for _, bad := range [][]byte{nil, filter[:4], {1, 2, 3, 4, 6}} {
			err := tt.r.CheckFilter(&h, bad)
			if tt.checks {
				wantErr(t, err, ErrFilter)
			} else if err != nil {
				t.Errorf("%s %d: %v", tt.r.params.Name, tt.height, err)
			}
		}
	}
}

// Without a commitment a filter can't be larger than its block.
// Rule 21.
func TestCheckFilterSize(t *testing.T) {
	var h Header
	setHeight(&h, 431487)
	h[offSize] = 200
	r := NewRules(chaincfg.MainNetParams())
	if err := r.CheckFilter(&h, make([]byte, 60)); err != nil {
		t.Error(err)
	}
	wantErr(t, r.CheckFilter(&h, make([]byte, 61)), ErrFilter)
}

// An empty filter, of a block that pays nobody, has a hash of zeros.
// Rule 11.
func TestCheckEmptyFilter(t *testing.T) {
	r := simnet()
	var h Header
	setHeight(&h, 1)
	if err := r.CheckFilter(&h, nil); err != nil {
		t.Error(err)
	}
	wantErr(t, r.CheckFilter(&h, []byte{0}), ErrFilter)
	hash := blake256.Sum256(nil)
	copy(h[offStakeRoot:], hash[:])
	wantErr(t, r.CheckFilter(&h, nil), ErrFilter)
}
