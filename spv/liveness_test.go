package spv_test

import (
	"flag"
	"fmt"
	"slices"
	"testing"
	"time"
)

// Sieges: one honest peer, and 7 to 63 adversaries that are generated (package
// spvtest) and learn what keeps the Syncer out of sync longest. Whatever they do
// that is well formed, the first sync ends and payments are found in a time that
// depends on the honest peer alone (rule 22).
//
//	go test ./spv -run Siege -seeds 200                more seeds
//	go test ./spv -run Siege -adversary-seed 42        this one
//	go test ./spv -run Siege -hours 3                  3 hours of virtual time each
var (
	adversaries   = flag.Int("seeds", 8, "how many seeds the sieges run")
	adversarySeed = flag.Uint64("adversary-seed", 0, "the first seed of the sieges; with no -seeds the only one")
	siegeHours    = flag.Float64("hours", 0.5, "hours of virtual time of each siege")
)

// Bounds of a siege.
const (
	// The first sync may take this many times what it takes with the honest peer
	// alone, and this much more.
	firstSyncFactor = 2
	firstSyncMore   = 10 * time.Second

	// A payment is in the wallet so long after the honest peer has announced its
	// block, in 99 of 100 cases and always.
	paymentUsual  = 5 * time.Second
	paymentAlways = 30 * time.Second

	// manySieges is how many payments there must be for that: those of one siege
	// are late together.
	manySieges = 500

	// A claim counts for claimCounts after the peer was asked, and after a failure
	// not again for firstDoubt, twice as long each time (registry).
	claimCounts = 5 * time.Second
	firstDoubt  = 30 * time.Second

	// How often a filter, a block and the headers above a block may be asked for
	// on average, of all peers together. Each answer that is none, or comes too
	// late, costs one request.
	mostFilterCopies = 3
	mostBlockCopies  = 6
	mostHeaderAsks   = 400 // for each peer and hour, however many blocks there are
)

// adversarySeeds are those to run.
func adversarySeeds() (seeds []uint64) {
	n, first := *adversaries, uint64(1)
	if *adversarySeed != 0 {
		first = *adversarySeed
		if !flagGiven("seeds") {
			n = 1
		}
	}
	for i := range uint64(n) {
		seeds = append(seeds, first+i)
	}
	return seeds
}

// One honest peer is enough, whatever all others do.
// Rule 22.
func TestSiege(t *testing.T) {
	var all siegeResult
	for _, seed := range adversarySeeds() {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			besiege(t, newSiegePlan(seed), &all)
		})
	}
	all.report(t)
}

// siegeResult is what sieges have measured.
type siegeResult struct {
	firsts   []firstSync
	payments []time.Duration
	filters  copies
	blocks   copies
	headers  int // getheaders
	virtual  time.Duration
	behind   time.Duration // not synced, after the first sync
	meetings []time.Duration
}

// firstSync is how long the first sync took, with adversaries and without.
type firstSync struct {
	took, alone time.Duration
	synced      time.Duration // when the status said so first after that; 0 is never
}

// beyond is by how much it took longer than it may; negative is sooner.
func (f firstSync) beyond() time.Duration { return f.took - f.bound() }

func (f firstSync) bound() time.Duration { return firstSyncFactor*f.alone + firstSyncMore }

// copies counts what was asked for, and how much of it there is.
type copies struct{ asked, exist int }

func (c copies) ratio() float64 { return float64(c.asked) / float64(max(c.exist, 1)) }

func (r *siegeResult) add(o siegeResult) {
	r.firsts = append(r.firsts, o.firsts...)
	r.payments = append(r.payments, o.payments...)
	r.filters.asked += o.filters.asked
	r.filters.exist += o.filters.exist
	r.blocks.asked += o.blocks.asked
	r.blocks.exist += o.blocks.exist
	r.headers += o.headers
	r.virtual += o.virtual
	r.behind += o.behind
	r.meetings = append(r.meetings, o.meetings...)
}

// report prints the numbers of a batch, and checks what holds of many cases.
func (r *siegeResult) report(t *testing.T) {
	t.Helper()
	if len(r.firsts) == 0 {
		return
	}
	slices.SortFunc(r.firsts, func(a, b firstSync) int { return int(a.beyond() - b.beyond()) })
	slices.Sort(r.payments)
	worst, most := r.firsts[len(r.firsts)-1], quantile(r.firsts, 99)
	t.Logf("%.1f hours of virtual time, %.1f%% of it not synced", r.virtual.Hours(), 100*float64(r.behind)/float64(r.virtual))
	middle := quantile(r.firsts, 50)
	t.Logf("%d first syncs: worst %v (alone %v; the status said so after %v), 99 of 100 %v (alone %v), median %v (alone %v)",
		len(r.firsts), worst.took, worst.alone, worst.synced, most.took, most.alone, middle.took, middle.alone)
	if len(r.payments) > 0 {
		t.Logf("%d payments: worst %v, 99 of 100 within %v, median %v", len(r.payments),
			r.payments[len(r.payments)-1], quantile(r.payments, 99), quantile(r.payments, 50))
		if q := quantile(r.payments, 99); q > paymentUsual && len(r.payments) >= manySieges {
			t.Errorf("99 of 100 payments were found within %v, not %v", q, paymentUsual)
		}
	}
	t.Logf("requests: %.2f for each filter, %.2f for each block with a payment, %d getheaders", r.filters.ratio(), r.blocks.ratio(), r.headers)
}

// quantile is the value that p of 100 sorted ones are not above.
func quantile[T any](sorted []T, p int) T { return sorted[max((len(sorted)*p+99)/100, 1)-1] }
