package chain

import (
	"slices"
	"testing"

	"github.com/decred/dcrd/chaincfg/chainhash"
)

// Rule 6.
func TestLocator(t *testing.T) {
	a := newMiner(t, simnet())
	a.mineN(300, 1, 0)
	b := a.fork(290)
	b.mineN(5, 1, 1)
	store := &memStore{}
	c := newChain(a.r, store)
	c.keep = 20
	mustAdd(t, c, a.batch(1, 300))
	storeAll(t, c, store, 1000)
	mustAdd(t, c, b.batch(291, 295))
	if c.best.base < 250 {
		t.Fatalf("%d headers in memory, the test wants few", c.best.len())
	}
	for _, tt := range []struct {
		name    string
		m       *miner
		from    BlockID
		heights []int
	}{
		{"genesis", a, a.id(0), []int{0}},
		{"block 1", a, a.id(1), []int{1, 0}},
		{"block 9", a, a.id(9), []int{9, 8, 7, 6, 5, 4, 3, 2, 1, 0}},
		{"block 12", a, a.id(12), []int{12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 0}},
		{"tip", a, a.id(300), []int{300, 299, 298, 297, 296, 295, 294, 293, 292, 291, 288, 284, 272, 256, 224, 128, 0}},
		{"side branch", b, b.id(295), []int{295, 294, 293, 292, 291, 290, 289, 288, 287, 286, 284, 280, 272, 256, 224, 128, 0}},
		{"unknown block: as the tip", a, BlockID{7, chainhash.Hash{1}}, []int{300, 299, 298, 297, 296, 295, 294, 293, 292, 291, 288, 284, 272, 256, 224, 128, 0}},
	} {
		var want []chainhash.Hash
		for _, height := range tt.heights {
			want = append(want, tt.m.headers[height].Hash())
		}
		if got := c.Locator(tt.from); !slices.Equal(got, want) {
			t.Errorf("%s: %d hashes, want %d; or others", tt.name, len(got), len(want))
		}
	}
}
