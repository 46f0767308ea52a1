package spv_test

import (
	"math/rand/v2"
	"time"
)

// Mishaps of the honest peer: what makes a peer look useless that is not. A reorg
// comes while it is asked for the old branch, of which a dcrd does not send the
// filters; or it has not got a block that it has told of, for a moment. Whoever
// holds that against it has no honest peer left.

const (
	// mishapEvery is how much time is between two on average. The first comes
	// within the first sync.
	mishapEvery = 2 * time.Minute
	firstMishap = 3 * time.Second

	// mishapDepth is how deep a reorg is at most, and mishapTurn how much longer
	// the first sync may take with one: that filters don't come has to be noticed.
	mishapDepth = 200
	mishapTurn  = 10 * time.Second

	// mishapLasts is how long blocks are not found at most, and mishapCosts how
	// much later those may be found: all others are asked before a peer is asked
	// again, and silence counts for half a minute.
	mishapLasts = 5 * time.Second
	mishapCosts = 45 * time.Second
)

// mishaps are those of a siege. They have dice of their own, so that the rest of
// the siege is what it would be without them.
type mishaps struct {
	rng   *draw
	next  time.Time
	until time.Time // of the one that lasts
	turn  time.Time // the last reorg
}

func newMishaps(seed uint64) mishaps {
	return mishaps{rng: &draw{rand.New(rand.NewPCG(seed, 26)), nil}}
}

// mishap has one happen when it is time. There are none for the honest peer alone:
// what it takes then is what the siege is measured by.
func (s *siege) mishap(life siegeLife) {
	m := &s.mishaps
	now := time.Now()
	switch {
	case s.alone == 0 || s.plan.discover:
	case !m.until.IsZero():
		if !now.Before(m.until) {
			m.until = time.Time{}
			s.setNotFound(false)
			for i := range s.payments {
				s.payments[i].announced = now.Add(mishapCosts)
			}
		}
	case m.next.Before(s.life):
		m.next = now.Add(m.rng.pause(0, firstMishap))
	case now.Before(m.next) || now.After(s.life.Add(life.lasts-paymentAlways-mishapCosts-mishapLasts)):
	case s.first && m.rng.IntN(2) == 0:
		m.until = now.Add(m.rng.pause(0, mishapLasts))
		s.setNotFound(true)
		s.grow(m.rng, 0, 0, 1)
		m.next = now.Add(m.rng.pause(0, 2*mishapEvery))
	default:
		s.grow(m.rng, 0, 0, 1)
		time.Sleep(m.rng.pause(0, 2*s.plan.latency))
		depth := m.rng.between(1, mishapDepth)
		s.grow(m.rng, depth, depth, 1)
		m.turn = time.Now()
		m.next = now.Add(m.rng.pause(0, 2*mishapEvery))
	}
}

func (s *siege) setNotFound(notFound bool) {
	b := s.honest.Behaviour()
	b.NotFound = notFound
	s.honest.SetBehaviour(b)
}

// firstBound is how long the first sync of this life may take.
func (s *siege) firstBound() time.Duration {
	bound := firstSync{alone: s.alone}.bound()
	if s.mishaps.turn.After(s.life) {
		bound += mishapTurn
	}
	return bound
}
