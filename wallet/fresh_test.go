package wallet

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

var leftOut = flag.String("without", "", "kinds of steps to leave out of fresh worlds, separated by commas")

// TestFresh: what is shown depends on the chain and the watch set, and on nothing
// else. Whatever has happened to a wallet, another one that is given the same watch
// set in a new file, the same chain and the same transactions that wait shows the
// same. And each address that was ever given out to be paid at is found by an account
// that is restored on the chain as it is in the end.
//
// Of a history that fails, the shortest is told that is left when steps are taken out
// of it.
//
//	go test -run TestFresh ./wallet -seeds 10000 -seed 5000
//
// Rule 16.
func TestFresh(t *testing.T) {
	n := *seedCount
	if testing.Short() {
		n = min(n, 10)
	}
	compared := 0
	for seed := *firstSeed; seed < *firstSeed+uint64(n); seed++ {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			h := newFreshHistory(seed)
			story, err := h.live(t)
			compared += story.compared
			if err == nil {
				return
			}
			h, story, err = h.shortest(t, err)
			t.Fatalf("%s\n%v\n(%d steps)", strings.Join(story.told, "\n"), err, len(h.steps))
		})
	}
	t.Logf("%d histories, compared %d times", n, compared)
}

// freshHistory is what happens to a wallet. Each step has a randomness of its own: it
// stays much the same when others are taken out.
type freshHistory struct {
	seed    uint64
	content bool // no block is disapproved
	steps   []freshStep
}

type freshStep struct {
	kind string
	seed uint64
}

// newFreshHistory makes a history of some kinds of steps: of few, so that each kind
// is also seen without the others.
func newFreshHistory(seed uint64) *freshHistory {
	rng := rand.New(rand.NewPCG(seed, 11))
	without := func(name string) bool {
		return rng.IntN(3) == 0 || strings.Contains(","+*leftOut+",", ","+name+",")
	}
	h := &freshHistory{seed: seed, content: without("disapproval")}
	var kinds []string
	for _, k := range freshKinds {
		if without(k.name) && !k.always {
			continue
		}
		for range k.weight {
			kinds = append(kinds, k.name)
		}
	}
	for range 15 + rng.IntN(30) {
		h.steps = append(h.steps, freshStep{kinds[rng.IntN(len(kinds))], rng.Uint64()})
	}
	return h
}

// freshStory is what has become of a history.
type freshStory struct {
	told     []string
	compared int
}

// live lives a history, and returns the first difference.
func (h *freshHistory) live(t *testing.T) (story freshStory, err error) {
	d := newFreshWorld(t, h)
	defer func() {
		d.w.Close()
		story = d.story
	}()
	for i, s := range append(slices.Clone(h.steps), freshStep{kind: "compare"}) {
		d.rng = rand.New(rand.NewPCG(h.seed, s.seed))
		if err := freshKindOf(s.kind).do(d); err != nil {
			return story, fmt.Errorf("%s: %w", s.kind, err)
		}
		if *trace {
			t.Logf("step %d: %s, tip %d", i, s.kind, d.c.height())
		}
	}
	if err := d.restore(); err != nil {
		return story, err
	}
	if _, err := d.w.Verify(t.Context()); err != nil {
		return story, err
	}
	return story, d.w.memoryDiffers()
}

// shortest takes steps out of a history as long as it fails in the same way.
func (h *freshHistory) shortest(t *testing.T, err error) (*freshHistory, freshStory, error) {
	kind := freshFailure(err)
	for n := len(h.steps) / 2; n > 0; n /= 2 {
		for at := 0; at+n <= len(h.steps); {
			less := &freshHistory{h.seed, h.content, slices.Delete(slices.Clone(h.steps), at, at+n)}
			if _, e := less.live(t); e != nil && freshFailure(e) == kind {
				h = less
			} else {
				at++
			}
		}
	}
	story, err := h.live(t)
	return h, story, err
}

func freshKindOf(name string) freshKind {
	return freshKinds[slices.IndexFunc(freshKinds, func(k freshKind) bool { return k.name == name })]
}
