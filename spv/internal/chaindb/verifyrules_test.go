package chaindb

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"dcrspv/spv/chain"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/chaincfg/v3"
	"github.com/decred/dcrd/crypto/blake256"
	"github.com/decred/dcrd/math/uint256"
	"github.com/decred/dcrd/wire"
)

// storedChain stores a chain of n blocks, whatever it is worth, in a file of its
// own. edit, if not nil, changes headers before their work is looked for.
func storedChain(t *testing.T, rules *chain.Rules, n int, edit func(*wire.BlockHeader)) (*DB, *testChain) {
	t.Helper()
	c := genesisChain(rules)
	c.extendEdited(rules, rand.New(rand.NewPCG(4, 2)), n, 40, true, edit)
	db := openTest(t, testPath(t), rules)
	c.store(t, db, 0)
	return db, c
}

// overwriteHeaders puts the headers of c into the file as they are.
func overwriteHeaders(t *testing.T, db *DB, c *testChain) {
	t.Helper()
	err := db.update(func(r *reader) error { return r.writeHeaders(0, c.headers[1:]) })
	if err != nil {
		t.Fatal(err)
	}
}

// wantFault checks that Verify names the height and the rule, and has counted
// what is below.
func wantFault(t *testing.T, db *DB, height uint32, kind error) {
	t.Helper()
	report, err := db.Verify(context.Background(), nil)
	if !errors.Is(err, ErrCorrupt) || !errors.Is(err, kind) ||
		!strings.Contains(err.Error(), fmt.Sprintf("header %d: ", height)) {
		t.Errorf("%v, should say header %d and %q", err, height, kind)
		return
	}
	if report.Headers != height || report.Tip.Height != height-1 {
		t.Errorf("%v: report says %d headers up to %d", err, report.Headers, report.Tip.Height)
	}
}

// Every rule is broken by one header of a chain that is otherwise as it should
// be: its hashes, its work and all that follows are consistent with that header.
// Rules 10 and 25.
func TestVerifyChecksEveryRule(t *testing.T) {
	for _, tt := range []struct {
		name   string
		kind   chain.ErrorKind
		height uint32
		edit   func(w *wire.BlockHeader)
	}{
		{"difficulty too easy", chain.ErrBits, 300, func(w *wire.BlockHeader) { w.Bits = 0x207ffffe }},
		{"difficulty too hard", chain.ErrBits, 260, func(w *wire.BlockHeader) { w.Bits = 0x203fffff }},
		{"ticket price", chain.ErrStakeDiff, 270, func(w *wire.BlockHeader) { w.SBits++ }},
		{"ticket price at the end of a window", chain.ErrStakeDiff, 272, func(w *wire.BlockHeader) { w.SBits-- }},
		{"time of the median", chain.ErrMedianTime, 290, func(w *wire.BlockHeader) { w.Timestamp = w.Timestamp.Add(-6 * time.Second) }},
		{"no votes", chain.ErrVotes, 144, func(w *wire.BlockHeader) { w.Voters = 0 }},
		{"too many votes", chain.ErrVotes, 305, func(w *wire.BlockHeader) { w.Voters = 6 }},
		{"votes too early", chain.ErrVotes, 143, func(w *wire.BlockHeader) { w.Voters = 5 }},
		{"revocations too early", chain.ErrRevocations, 143, func(w *wire.BlockHeader) { w.Revocations = 1 }},
		{"vote bits too early", chain.ErrVoteBits, 1, func(w *wire.BlockHeader) { w.VoteBits = 0 }},
		{"lottery too early", chain.ErrFinalState, 143, func(w *wire.BlockHeader) { w.FinalState[0] = 1 }},
		{"too many tickets", chain.ErrFreshStake, 251, func(w *wire.BlockHeader) { w.FreshStake = 21 }},
		{"size", chain.ErrBlockSize, 249, func(w *wire.BlockHeader) { w.Size = 1310721 }},
		{"block version", chain.ErrVersion, 280, func(w *wire.BlockHeader) { w.Version = 11 }},
		{"block version across segments", chain.ErrVersion, 250, func(w *wire.BlockHeader) { w.Version = 11 }},
		{"stake version too early", chain.ErrStakeVersion, 255, func(w *wire.BlockHeader) { w.StakeVersion = 10 }},
		{"stake version changes", chain.ErrStakeVersion, 257, func(w *wire.BlockHeader) { w.StakeVersion = 11 }},
		{"parent", chain.ErrLink, 301, func(w *wire.BlockHeader) { w.PrevBlock[5]++ }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rules := simnetRules()
			db, _ := storedChain(t, rules, 310, func(w *wire.BlockHeader) {
				if w.Height == tt.height {
					tt.edit(w)
				}
			})
			wantFault(t, db, tt.height, tt.kind)
		})
	}
}

// What breaks the consistency of hashes: a header that was changed as it lies.
func TestVerifyChecksHashes(t *testing.T) {
	rules := simnetRules()
	for _, tt := range []struct {
		name   string
		kind   chain.ErrorKind
		height uint32
		spoil  func(headers []chain.Header)
	}{
		{"no work", chain.ErrProofOfWork, 300, func(headers []chain.Header) {
			for h := &headers[300]; ; h[140]++ {
				if hash := rules.PowHash(h); hash[31] >= 0x80 {
					break
				}
			}
		}},
		{"work of the other era", chain.ErrProofOfWork, 300, func(headers []chain.Header) {
			for h := &headers[300]; ; h[140]++ {
				if blake3, blake256 := rules.PowHash(h), h.Hash(); blake3[31] >= 0x80 && blake256[31] < 0x40 {
					break
				}
			}
		}},
		{"no target", chain.ErrProofOfWork, 290, func(headers []chain.Header) { clear(headers[290][116:120]) }},
		{"another block", chain.ErrLink, 271, func(headers []chain.Header) {
			for h := &headers[270]; ; {
				h[144]++
				if _, err := rules.Check([]chain.Header{*h}); err == nil {
					break
				}
			}
		}},
		{"another block at the end of a segment", chain.ErrLink, 250, func(headers []chain.Header) {
			for h := &headers[249]; ; {
				h[144]++
				if _, err := rules.Check([]chain.Header{*h}); err == nil {
					break
				}
			}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := genesisChain(rules)
			c.extend(rules, rand.New(rand.NewPCG(4, 2)), 310, 40, true)
			db := openTest(t, testPath(t), rules)
			c.store(t, db, 0)
			tt.spoil(c.headers)
			overwriteHeaders(t, db, c)
			wantFault(t, db, tt.height, tt.kind)
		})
	}
}

// Rules 12 and 25.
func TestVerifyAnchors(t *testing.T) {
	c := genesisChain(simnetRules())
	c.extend(simnetRules(), rand.New(rand.NewPCG(4, 2)), 310, 40, true)
	good, bad := c.header(280).ID(), c.header(260).ID()
	bad.Hash[0]++
	for _, known := range [][]chain.BlockID{{good}, {good, bad}} {
		rules := chain.NewRules(chaincfg.SimNetParams(), chain.KnownBlocks(known...))
		db := openTest(t, testPath(t), rules)
		c.store(t, db, 0)
		if len(known) == 2 {
			wantFault(t, db, 260, chain.ErrAnchor)
			continue
		}
		if report, err := db.Verify(context.Background(), nil); err != nil || report.Anchors != 1 {
			t.Errorf("%d anchors, %v", report.Anchors, err)
		}
	}
}

// A chain that is past all anchors must have the work of the network. One that is
// not may still get it.
// Rules 12 and 25.
func TestVerifyKnownWork(t *testing.T) {
	c := genesisChain(simnetRules())
	c.extend(simnetRules(), rand.New(rand.NewPCG(4, 2)), 310, 40, true)
	work := c.work[c.tip()].ToBig()
	beyond := chain.BlockID{Height: 400, Hash: chainhash.Hash{1}}
	for _, tt := range []struct {
		name   string
		more   int64
		known  []chain.BlockID
		proven bool
		bad    bool
	}{
		{"enough", 0, nil, true, false},
		{"too little", 1, nil, false, true},
		{"past the last anchor", 1, []chain.BlockID{c.header(309).ID()}, false, true},
		{"at the last anchor", 1, []chain.BlockID{c.header(310).ID()}, false, false},
		{"below the last anchor", 1, []chain.BlockID{beyond}, false, false},
	} {
		params := chaincfg.SimNetParams()
		params.MinKnownChainWork = new(big.Int).Add(work, big.NewInt(tt.more))
		rules := chain.NewRules(params, chain.KnownBlocks(tt.known...))
		db := openTest(t, testPath(t), rules)
		c.store(t, db, 0)
		report, err := db.Verify(context.Background(), nil)
		if report.Proven != tt.proven || errors.Is(err, chain.ErrLowWork) != tt.bad || (err != nil) != tt.bad {
			t.Errorf("%s: proven %v, %v", tt.name, report.Proven, err)
		}
		if tt.bad && !strings.Contains(fmt.Sprint(err), "header 310") {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

// The work that the file claims is added up again.
func TestVerifyAddsUpWork(t *testing.T) {
	db, c := storedChain(t, simnetRules(), 310, nil)
	if err := db.ReplaceHeaders(310, nil, *new(uint256.Uint256).SetUint64(7)); err != nil {
		t.Fatal(err)
	}
	report, err := db.Verify(context.Background(), nil)
	if !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), "the work up to block 310") || report.Work != c.work[310] {
		t.Errorf("%v, work %v", err, report.Work)
	}
}

// A header ahead of the clock is not called damage: the clock may be wrong.
// Rule 24.
func TestVerifyFuture(t *testing.T) {
	db, _ := storedChain(t, simnetRules(), 310, func(w *wire.BlockHeader) {
		if w.Height == 305 {
			w.Timestamp = time.Unix(math.MaxUint32, 0) // the latest that there is
		}
	})
	db.own.Store(false) // of ours none was too early when it was stored
	report, err := db.Verify(context.Background(), nil)
	if !errors.Is(err, chain.ErrFuture) || errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), "header 305: ") || report.Headers != 305 {
		t.Errorf("%d headers, %v", report.Headers, err)
	}
}

// The filters that no header commits to are checked as a set, if all are held.
// Rules 11 and 25.
func TestVerifyFilterSet(t *testing.T) {
	const commitFrom = 260
	uncommitted := chain.NewRules(chaincfg.SimNetParams(), chain.CommitmentsFrom(commitFrom, chainhash.Hash{}))
	c := genesisChain(uncommitted)
	c.extend(uncommitted, rand.New(rand.NewPCG(4, 2)), 310, 40, true)
	set := blake256.NewHasher256()
	for _, f := range c.filters[:commitFrom] {
		set.WriteBytes(f)
	}
	rules := chain.NewRules(chaincfg.SimNetParams(), chain.CommitmentsFrom(commitFrom, set.Sum256()))
	db := openTest(t, testPath(t), rules)
	c.store(t, db, 0)
	report, err := db.Verify(context.Background(), nil)
	if err != nil || !report.FilterSet || report.Filters != 311 || report.Committed != 311-commitFrom {
		t.Errorf("good set: %+v, %v", report, err)
	}
	if err := db.PutFilters(17, [][]byte{{1, 2, 3}}); err != nil {
		t.Fatal(err)
	}
	report, err = db.Verify(context.Background(), nil)
	if !errors.Is(err, ErrCorrupt) || !errors.Is(err, chain.ErrFilter) || report.FilterSet ||
		!strings.Contains(err.Error(), "those of 0 to 259") {
		t.Errorf("bad set: %+v, %v", report, err)
	}
	if err := db.DropFilters(chain.Range{From: 30, To: 30}); err != nil {
		t.Fatal(err)
	}
	if report, err = db.Verify(context.Background(), nil); err != nil || report.FilterSet {
		t.Errorf("incomplete set, which cannot be checked: %+v, %v", report, err)
	}
	if err := db.PutFilters(300, [][]byte{{1, 2, 3}}); err != nil {
		t.Fatal(err)
	}
	_, err = db.Verify(context.Background(), nil)
	if !errors.Is(err, ErrCorrupt) || !errors.Is(err, chain.ErrFilter) || !strings.Contains(err.Error(), "filter 300: ") {
		t.Errorf("bad committed filter: %v", err)
	}
}
