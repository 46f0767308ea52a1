package spv_test

import (
	"flag"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"dcrspv/spv/spvtest"
)

// Simulations: a seed draws 8 to 64 peers, most of them of no use or hostile,
// and what happens to them: blocks, reorgs, new scripts, restarts, peers that
// come, go and turn. Whatever it is, the rules below hold all the time, and the
// sync is complete in bounded time as long as there is one honest peer.
//
//	go test ./spv -run Simulations -simulations 1000     more seeds
//	go test ./spv -run Simulations -seed 42              this one
var (
	simulations    = flag.Int("simulations", 24, "how many seeds TestSimulations runs")
	simulationSeed = flag.Uint64("seed", 0, "the first seed of TestSimulations; with no -simulations the only one")
)

// TestSimulations runs the seeds. One that fails is printed with all that it
// drew, and can be run alone.
// Rules 1, 3, 4, 8, 9, 20 and 22.
func TestSimulations(t *testing.T) {
	n, first := *simulations, uint64(1)
	if *simulationSeed != 0 {
		first = *simulationSeed
		if !flagGiven("simulations") {
			n = 1
		}
	}
	var took []time.Duration
	for seed := first; seed < first+uint64(n); seed++ {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			took = append(took, simulate(t, newPlan(seed, simulationChain(seed))))
		})
	}
	if n = len(took); n == 0 {
		return
	}
	slices.Sort(took)
	t.Logf("%d simulations: in sync after %v (median), %v (9 of 10), %v (all), in virtual time",
		n, took[n/2], took[n*9/10], took[n-1])
}

func flagGiven(name string) (given bool) {
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == name })
	return given
}

// baseChain is what all simulations have in common. Mining takes work, so they
// branch off somewhere.
var baseChain = sync.OnceValue(func() *spvtest.Chain {
	c := spvtest.NewChain(nil)
	for i := range 30 {
		c.Mine(99)
		c.MineBlock(c.Pay(spvtest.Script(uint32(i%3)), int64(i+1)*1e6))
	}
	return c
})

// simulationChain is the chain that a seed begins with: some hundred to three
// thousand blocks.
func simulationChain(seed uint64) *spvtest.Chain {
	height := 200 + uint32(seed*2654435761%2800)
	c := baseChain().Fork(height)
	c.Mine(3)
	return c
}

// simulate runs a plan in a bubble of virtual time and returns how long the sync
// took after the last event. If something spins the clock stands still, and go test
// ends it in the end and names the seed.
func simulate(t *testing.T, p *plan) (took time.Duration) {
	t.Helper()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s := newSimulation(t, p, dir)
		defer s.net.Close()
		defer s.stop()
		took = s.run()
	})
	return took
}
