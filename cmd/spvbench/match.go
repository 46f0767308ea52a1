package main

import (
	"context"
	"time"

	"dcrspv/cmd/spvbench/usage"
	"dcrspv/filters"
	"dcrspv/spv/spvtest"

	"github.com/decred/dcrd/gcs/v4"
	"github.com/decred/dcrd/gcs/v4/blockcf2"
)

// matchScripts are the numbers of scripts in the table match.
var matchScripts = []int{20, 200, 2_000, 20_000, 200_000}

var matchColumns = []column{
	{"ns", "ns a script", 1}, {"block", "us a block", 1}, {"times", "times as fast", 1},
}

// filterCase is a filter and the key that its scripts are hashed with.
type filterCase struct {
	key  [16]byte
	data []byte
}

// filterCases are usual filters that match nothing.
func filterCases(n int) []filterCase {
	c := spvtest.NewChain(nil, spvtest.FilterItems(filterItems))
	c.Mine(n + 1)
	cases := make([]filterCase, n)
	for i := range cases {
		height := uint32(i + 2) // block 1 pays what the parameters say
		root := c.Block(height).Header.MerkleRoot
		cases[i] = filterCase{blockcf2.Key(&root), c.Filter(height)}
	}
	return cases
}

// matcher tests one filter for a set of scripts that it was made for.
type matcher func(filterCase) error

// matchProduct is the product's way: decode the filter, stream the hashes of
// the scripts through it.
func matchProduct(scripts [][]byte) matcher {
	query := filters.NewQuery(scripts)
	var m filters.Matcher
	return func(f filterCase) error {
		_, err := m.Match(query, f.key, f.data)
		return err
	}
}

// matchAny is dcrd's way, which dcrwallet uses: hash and sort the scripts, then
// merge them with the filter.
func matchAny(scripts [][]byte) matcher {
	return func(f filterCase) error {
		filter, err := gcs.FromBytesV2(blockcf2.B, blockcf2.M, f.data)
		if err != nil {
			return err
		}
		filter.MatchAny(f.key, scripts)
		return nil
	}
}

// perFilter is the time that a matcher takes for a filter: cases are tested for
// at least a while.
func perFilter(m matcher, cases []filterCase) (time.Duration, error) {
	const atLeast = 200 * time.Millisecond
	if err := m(cases[0]); err != nil { // memory grows in the first
		return 0, err
	}
	start := time.Now()
	for n := 1; ; n++ {
		if err := m(cases[n%len(cases)]); err != nil {
			return 0, err
		}
		if took := time.Since(start); took >= atLeast {
			return took / time.Duration(n), nil
		}
	}
}

// nobody returns n scripts that no block pays.
func nobody(n int) [][]byte {
	scripts := make([][]byte, n)
	for i := range scripts {
		scripts[i] = spvtest.Script(uint32(i))
	}
	return scripts
}

// measureMatch compares the two on one core, in this process.
func measureMatch(ctx context.Context, b *bench) error {
	cases := filterCases(1000)
	for _, n := range matchScripts {
		scripts := nobody(n)
		mine := &row{Table: "match", What: product + " filters.Match", Scripts: n, Aim: "10 times"}
		machine, own, started := usage.MachineSeconds(), usage.CPUSeconds(), time.Now()
		other := &row{Table: "match", What: "dcrd gcs.FilterV2.MatchAny", Scripts: n}
		for range b.opts.Repeat {
			theirs, err := perFilter(matchAny(scripts), cases)
			if err != nil {
				return err
			}
			ours, err := perFilter(matchProduct(scripts), cases)
			if err != nil {
				return err
			}
			mine.take(ours, n)
			other.take(theirs, n)
			mine.put("times", float64(theirs)/float64(ours))
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		b.others.add(usage.MachineSeconds()-machine-(usage.CPUSeconds()-own), time.Since(started))
		b.results.add(b, mine)
		b.results.add(b, other)
		b.progress("match, %s scripts: %s ns a script, MatchAny %s ns", thousands(n), mine.cell(matchColumns[0]), other.cell(matchColumns[0]))
	}
	return nil
}

// take puts in the time for a filter.
func (r *row) take(d time.Duration, scripts int) {
	r.put("ns", float64(d)/float64(scripts))
	r.put("block", float64(d)/1e3)
}
