package chaindb

import (
	"encoding/binary"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"dcrspv/filters"
	"dcrspv/spv/chain"

	"github.com/decred/dcrd/chaincfg/v3"
	"github.com/decred/dcrd/math/uint256"
	"github.com/decred/dcrd/wire"
)

// testChain is a made-up simnet chain above the genesis block, with filters that
// its headers commit to and enough work for Rules.Check. Index 0 is genesis.
type testChain struct {
	headers []chain.Header
	filters [][]byte
	work    []uint256.Uint256 // up to and including each block
}

func simnetRules() *chain.Rules { return chain.NewRules(chaincfg.SimNetParams()) }

// genesisChain is the chain of a fresh file.
func genesisChain(rules *chain.Rules) *testChain {
	genesis, _ := rules.Genesis()
	filter, err := genesisFilter(rules.Params())
	if err != nil {
		panic(err)
	}
	return &testChain{[]chain.Header{genesis}, [][]byte{filter}, []uint256.Uint256{*workOf(&genesis)}}
}

// fork returns a copy of the chain up to a height.
func (c *testChain) fork(height uint32) *testChain {
	n := height + 1
	return &testChain{c.headers[:n:n], c.filters[:n:n], c.work[:n:n]}
}

func (c *testChain) tip() uint32 { return uint32(len(c.headers) - 1) }

// extend adds n blocks with random filters, each of a size up to maxFilter. With
// mine their headers have proof of work.
func (c *testChain) extend(rules *chain.Rules, rng *rand.Rand, n, maxFilter int, mine bool) {
	params := rules.Params()
	prev := c.headers[c.tip()].Hash()
	for range n {
		filter := make([]byte, rng.IntN(maxFilter+1))
		for i := range filter {
			filter[i] = byte(rng.Uint32())
		}
		height := c.tip() + 1
		w := wire.BlockHeader{
			Version: 10, PrevBlock: prev, StakeRoot: filters.Hash(filter), VoteBits: 1,
			Bits: params.PowLimitBits, Height: height, Size: 1000, StakeVersion: 10,
		}
		if height >= uint32(params.StakeValidationHeight) {
			w.Voters = params.TicketsPerBlock
			binary.LittleEndian.PutUint32(w.FinalState[:], height)
		}
		binary.LittleEndian.PutUint64(w.ExtraData[:], rng.Uint64())
		h := chain.HeaderFromWire(&w)
		for mine {
			if _, err := rules.Check([]chain.Header{h}); err == nil {
				break
			}
			w.Nonce++
			h = chain.HeaderFromWire(&w)
		}
		prev = h.Hash()
		work := c.work[c.tip()]
		work.Add(workOf(&h))
		c.headers = append(c.headers, h)
		c.filters = append(c.filters, filter)
		c.work = append(c.work, work)
	}
}

// store writes the chain's headers above a height, and all of its filters there.
func (c *testChain) store(tb testing.TB, db *DB, above uint32) {
	tb.Helper()
	if err := db.ReplaceHeaders(above, c.headers[above+1:], c.work[c.tip()]); err != nil {
		tb.Fatal(err)
	}
	if err := db.PutFilters(above+1, c.filters[above+1:]); err != nil {
		tb.Fatal(err)
	}
}

// openTest opens a file of the test, which is closed at its end.
func openTest(tb testing.TB, path string, rules *chain.Rules) *DB {
	tb.Helper()
	db, err := Open(path, rules)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := db.Close(); err != nil {
			tb.Errorf("close: %v", err)
		}
	})
	return db
}

func testPath(tb testing.TB) string { return filepath.Join(tb.TempDir(), "chain.db") }
