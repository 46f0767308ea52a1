package spvtest

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/decred/dcrd/chaincfg/chainhash"
)

// Memory is what adversaries have learned: how far behind each policy kept the
// client. The best ones are varied more often. Adversaries that share a memory
// are of one mind, and often do the same thing at the same time. A memory also
// holds the side branches that they tell of.
//
// Its methods may be called from any goroutine.
type Memory struct {
	limits []time.Duration
	boasts bool // every policy claims more than there is
	crawls bool // every policy delivers all that is asked for, slowly

	mu      sync.Mutex
	tried   []*trial
	latest  *Policy // drawn last
	sharing int     // adversaries
	sides   map[sideKey]*Chain
	order   []sideKey // of sides, the oldest first
}

// trial is what came of a policy.
type trial struct {
	policy *Policy
	force  time.Duration // how long it was in force
	behind time.Duration // how long of that the client was behind
}

const (
	maxTrials = 200
	maxSides  = 64

	// mostSide is how many blocks a side branch has at most.
	mostSide = 150

	// doubtful is how long a policy must have been in force for its result to
	// count in full.
	doubtful = 30 * time.Second
)

// NewMemory makes one that knows nothing but the times that the client goes by:
// how long it waits before it asks somebody else, disconnects, and so on.
func NewMemory(limits ...time.Duration) *Memory {
	return &Memory{limits: limits, sides: make(map[sideKey]*Chain)}
}

// Boast has every policy that is drawn from now on claim more than there is,
// whatever else it does. It is called before anything is drawn.
func (m *Memory) Boast() { m.boasts = true }

// Crawl has every policy that is drawn from now on deliver all that is asked for, as
// slowly as is borne or a little faster. It is called before anything is drawn.
func (m *Memory) Crawl() { m.crawls = true }

// Reward notes that a policy was in force for a while, and whether the client was
// behind in that time.
func (m *Memory) Reward(p *Policy, took time.Duration, behind bool) {
	if p == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	i := slices.IndexFunc(m.tried, func(t *trial) bool { return t.policy == p })
	if i < 0 {
		return // forgotten already
	}
	m.tried[i].force += took
	if behind {
		m.tried[i].behind += took
	}
}

// Best returns the policies that did best, at most n, and for how much of the
// time the client was behind.
func (m *Memory) Best(n int) (best []*Policy, share []float64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, t := range m.best(n) {
		best = append(best, t.policy)
		share = append(share, t.worth())
	}
	return best, share
}

func (t *trial) worth() float64 { return float64(t.behind) / float64(t.force+doubtful) }

// best is Best with mu held. Those that did nothing are not among them.
func (m *Memory) best(n int) []*trial {
	sorted := slices.Clone(m.tried)
	slices.SortStableFunc(sorted, func(a, b *trial) int { return cmp.Compare(b.worth(), a.worth()) })
	for i, t := range sorted {
		if i == n || t.behind == 0 {
			return sorted[:i]
		}
	}
	return sorted
}

// next draws the policy of an adversary: what the others do now, a new one, one of
// the best again, or a variation of it.
func (m *Memory) next(r *rand.Rand) *Policy {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.sharing > 1 && m.latest != nil && r.IntN(2) == 0 {
		return m.latest
	}
	best := m.best(5)
	var p *Policy
	switch k := r.IntN(10); {
	case len(best) == 0 || k < 4:
		p = drawPolicy(r, m.limits)
	case k < 6:
		m.latest = one(r, best...).policy
		return m.latest
	default:
		p = one(r, best...).policy.vary(r, m.limits)
	}
	if m.boasts {
		p.Claims = one(r, boasts...)
	}
	if m.crawls {
		p = p.crawl(r)
	}
	m.latest = p
	if len(m.tried) == maxTrials {
		// The first half has been tried longest: of it the worst is forgotten.
		worst := 0
		for i, t := range m.tried[:maxTrials/2] {
			if t.worth() < m.tried[worst].worth() {
				worst = i
			}
		}
		m.tried = slices.Delete(m.tried, worst, worst+1)
	}
	m.tried = append(m.tried, &trial{policy: p})
	return p
}

// sideKey names a side branch: the block at which it leaves, and its length.
type sideKey struct {
	fork   chainhash.Hash
	blocks uint32
}

// sideBranch is the number of the first side branch. It is not taken from the
// ledger, so that what a test builds does not depend on what adversaries do.
const sideBranch = 1 << 30

// side returns a branch that leaves a chain some blocks below its tip, and is
// shorter: it never has as much work.
func (m *Memory) side(v view, depth uint32) view {
	depth = min(max(depth, 2), v.height)
	fork := v.height - depth
	key := sideKey{v.Hash(fork), min(depth-1, mostSide)}
	m.mu.Lock()
	defer m.mu.Unlock()
	side := m.sides[key]
	if side == nil {
		if len(m.order) == maxSides {
			delete(m.sides, m.order[0])
			m.order = m.order[1:]
		}
		side = v.fork(fork, sideBranch+key.blocks)
		side.Mine(int(key.blocks))
		m.sides[key] = side
		m.order = append(m.order, key)
	}
	return viewOf(side)
}

// branchOf returns the side branch that a block is on, if it is on one.
func (m *Memory) branchOf(hash *chainhash.Hash) (v view, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, key := range m.order {
		v := viewOf(m.sides[key])
		if _, ok := v.find(hash); ok {
			return v, true
		}
	}
	return view{}, false
}
