package chaindb

import (
	"encoding/binary"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"dcrspv/filters"
	"dcrspv/spv/chain"

	"github.com/decred/dcrd/blockchain/standalone/v2"
	"github.com/decred/dcrd/chaincfg/v3"
	"github.com/decred/dcrd/math/uint256"
	"github.com/decred/dcrd/wire"
)

// testStart is the time of block 1; every block is a second after its parent.
const testStart = 1_700_000_000

// testChain is a made-up simnet chain above the genesis block that satisfies all
// rules for headers, with filters that these commit to. Index 0 is genesis.
type testChain struct {
	headers []chain.Header
	filters [][]byte
	work    []uint256.Uint256 // up to and including each block
}

func simnetRules() *chain.Rules { return chain.NewRules(chaincfg.SimNetParams()) }

// genesisChain is the chain of a fresh file.
func genesisChain(rules *chain.Rules) *testChain {
	genesis, filter := genesisOf(rules)
	return &testChain{[]chain.Header{genesis}, [][]byte{filter}, []uint256.Uint256{*workOf(&genesis)}}
}

// fork returns a copy of the chain up to a height.
func (c *testChain) fork(height uint32) *testChain {
	n := height + 1
	return &testChain{c.headers[:n:n], c.filters[:n:n], c.work[:n:n]}
}

func (c *testChain) tip() uint32 { return uint32(len(c.headers) - 1) }

// header is the header at a height, as the rules look for it.
func (c *testChain) header(height uint32) *chain.Header { return &c.headers[height] }

// extend adds n blocks with random filters, each of a size up to maxFilter. With
// mine their headers have proof of work.
func (c *testChain) extend(rules *chain.Rules, rng *rand.Rand, n, maxFilter int, mine bool) {
	c.extendEdited(rules, rng, n, maxFilter, mine, nil)
}

// extendEdited is extend with an edit of each header, if not nil, before its work
// is looked for.
func (c *testChain) extendEdited(rules *chain.Rules, rng *rand.Rand, n, maxFilter int, mine bool,
	edit func(w *wire.BlockHeader)) {

	for range n {
		filter := make([]byte, rng.IntN(maxFilter+1))
		for i := range filter {
			filter[i] = byte(rng.Uint32())
		}
		w := c.template(rules, filter)
		binary.LittleEndian.PutUint64(w.ExtraData[:], rng.Uint64())
		if edit != nil {
			edit(&w)
		}
		h := chain.HeaderFromWire(&w)
		if mine {
			h = solve(rules, w)
		}
		work := c.work[c.tip()]
		work.Add(workOf(&h))
		c.headers = append(c.headers, h)
		c.filters = append(c.filters, filter)
		c.work = append(c.work, work)
	}
}

// template is the next header but for its work.
func (c *testChain) template(rules *chain.Rules, filter []byte) wire.BlockHeader {
	params, prev := rules.Params(), c.header(c.tip())
	height := prev.Height() + 1
	w := wire.BlockHeader{
		Version: 12, PrevBlock: prev.Hash(), StakeRoot: filters.Hash(filter), VoteBits: 1,
		SBits: rules.NextStakeDiff(prev, c.header), Height: height, Size: 1000,
		Timestamp: time.Unix(testStart+int64(height), 0),
	}
	w.Bits = rules.NextBits(prev, uint32(w.Timestamp.Unix()), c.header)
	if int64(height) >= params.StakeValidationHeight {
		w.Voters = params.TicketsPerBlock
		binary.LittleEndian.PutUint32(w.FinalState[:], height)
	}
	if int64(height) >= params.StakeValidationHeight+params.StakeVersionInterval {
		w.StakeVersion = 10
	}
	return w
}

// solve finds the work of a header.
func solve(rules *chain.Rules, w wire.BlockHeader) chain.Header {
	target := standalone.CompactToBig(w.Bits)
	for {
		h := chain.HeaderFromWire(&w)
		hash := rules.PowHash(&h)
		if standalone.HashToBig(&hash).Cmp(target) <= 0 {
			return h
		}
		w.Nonce++
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
