package chain

import "github.com/decred/dcrd/chaincfg/v3"

// supply is the number of atoms that exist if every subsidy was paid in full.
type supply struct {
	interval int64   // blocks between two reductions
	before   []int64 // atoms at the start of each interval
	subsidy  []int64 // of each block in it; the last one's stays
}

// newSupply adds the intervals up once, until nothing is paid any more: doing this at
// each change of the ticket price would take longer than all other checks.
func newSupply(p *chaincfg.Params) supply {
	s := supply{interval: p.SubsidyReductionInterval}
	subsidy := p.BaseSubsidy
	atoms := p.BlockOneSubsidy() - 2*subsidy // blocks 0 and 1 pay otherwise
	for {
		s.before, s.subsidy = append(s.before, atoms), append(s.subsidy, subsidy)
		next := subsidy * p.MulSubsidy / p.DivSubsidy
		if next >= subsidy {
			return s
		}
		atoms += s.interval * subsidy
		subsidy = next
	}
}

// estimate is the number of atoms at a height (dcrd estimateSupply).
func (s supply) estimate(height int64) int64 {
	if height <= 0 {
		return 0
	}
	i := min(height/s.interval, int64(len(s.before))-1)
	return s.before[i] + (1+height-i*s.interval)*s.subsidy[i]
}
