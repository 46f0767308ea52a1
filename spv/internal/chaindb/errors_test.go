//go:build linux || darwin

package chaindb

import (
	"errors"
	"math/rand/v2"
	"os"
	"testing"

	"dcrspv/spv/chain"
)

// TestCutOffWhileRead cuts the file while a callback reads the mapping. That is
// damage, although the fault is in the caller's own code.
// Rule 25.
func TestCutOffWhileRead(t *testing.T) {
	rules := simnetRules()
	path := testPath(t)
	db := openTest(t, path, rules)
	c := genesisChain(rules)
	c.extend(rules, rand.New(rand.NewPCG(1, 1)), 300, 30, false)
	c.store(t, db, 0)
	defer func() {
		if r := recover(); r != nil {
			t.Errorf("panic: %v", r)
		}
	}()
	err := db.Blocks(chain.Range{From: 1, To: 300}, func(height uint32, h *chain.Header, filter []byte) bool {
		if err := os.Truncate(path, 0); err != nil {
			t.Fatal(err)
		}
		t.Errorf("read %v of a file that is gone", h.Hash())
		return false
	})
	if !errors.Is(err, ErrCorrupt) {
		t.Errorf("%v", err)
	}
}
