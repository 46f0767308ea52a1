package spvtest

import (
	"bytes"
	"errors"
	"reflect"
	"testing"

	"github.com/decred/dcrd/chaincfg/v3"
	"github.com/decred/dcrd/wire"
)

// savedChain is longer than a segment and has payments in it.
func savedChain(t *testing.T) (*Chain, []byte) {
	t.Helper()
	c := NewChain(nil, FilterItems(3))
	c.Mine(300)
	pay := c.Pay(Script(1), 5e8)
	c.MineBlock(pay)
	c.Mine(1000)
	c.MineBlock(c.Spend([]wire.OutPoint{OutPoint(pay, 0)}, wire.NewTxOut(2e8, Script(2))))
	c.Mine(5)
	var buf bytes.Buffer
	if err := c.Save(&buf); err != nil {
		t.Fatal(err)
	}
	return c, buf.Bytes()
}

func TestSavedChainGoesOn(t *testing.T) {
	c, saved := savedChain(t)
	got, err := Load(bytes.NewReader(saved), nil, FilterItems(3))
	if err != nil {
		t.Fatal(err)
	}
	scripts := [][]byte{Script(1), Script(2)}
	for range 2 {
		if got.Tip() != c.Tip() || !reflect.DeepEqual(got.Truth(scripts), c.Truth(scripts)) {
			t.Fatalf("tip %v, want %v", got.Tip(), c.Tip())
		}
		for h := range c.Height() + 1 {
			if got.Hash(h) != c.Hash(h) || !bytes.Equal(got.Filter(h), c.Filter(h)) {
				t.Fatalf("block %d differs", h)
			}
			if at, ok := got.HeightOf(c.Hash(h)); !ok || at != h {
				t.Fatalf("block %d is not found by its hash", h)
			}
			if got.Block(h).BlockHash() != c.Hash(h) || len(got.Block(h).Transactions) != len(c.Block(h).Transactions) {
				t.Fatalf("block %d is not the one of its header", h)
			}
		}
		// Both go on in the same way: made-up coins are numbered on.
		for _, c := range []*Chain{c, got} {
			c.MineBlock(c.Pay(Script(2), 1e8))
			c.Mine(2)
		}
	}
}

func TestLoadRefuses(t *testing.T) {
	c, saved := savedChain(t)
	changed := bytes.Clone(saved)
	changed[3] ^= 1
	for name, load := range map[string]func() (*Chain, error){
		"other options":    func() (*Chain, error) { return Load(bytes.NewReader(saved), nil, FilterItems(4)) },
		"other parameters": func() (*Chain, error) { return Load(bytes.NewReader(saved), chaincfg.RegNetParams(), FilterItems(3)) },
		"other bytes":      func() (*Chain, error) { return Load(bytes.NewReader(changed), nil, FilterItems(3)) },
		"half of it":       func() (*Chain, error) { return Load(bytes.NewReader(saved[:len(saved)/2]), nil, FilterItems(3)) },
		"nothing":          func() (*Chain, error) { return Load(bytes.NewReader(nil), nil, FilterItems(3)) },
	} {
		if _, err := load(); !errors.Is(err, ErrStored) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := c.Fork(3).Save(new(bytes.Buffer)); err == nil {
		t.Error("a branch was saved")
	}
}
