package scan

import (
	"cmp"
	"context"
	"runtime"
	"slices"

	"dcrspv/filters"
	"dcrspv/spv/chain"

	"golang.org/x/sync/errgroup"
)

// Request is what a wallet wants: these blocks tested for these scripts.
type Request struct {
	chain.Range
	Query *filters.Query
}

// Source are stored blocks.
type Source interface {
	// Blocks calls fn for each block of a range in ascending order, until it returns
	// false.
	Blocks(r chain.Range, fn func(height uint32, h *chain.Header, filter []byte) bool) error

	// Next returns the header of the block that follows another one; !ok if it is not
	// stored.
	Next(id chain.BlockID) (h chain.Header, ok bool, err error)
}

// Result is what a pass over requests has found.
type Result struct {
	// Through is the last block of the pass: each request is tested up to there, or up
	// to its own end if that is lower.
	Through uint32

	// Ends are the blocks at Through and at the ends of requests below it.
	Ends map[uint32]End

	Matches     []Match  // in ascending order
	Disapproved []uint32 // heights below Through whose regular transactions the next block disapproves
}

// Match is a block in which scripts may be, and the requests that they are of, by
// their index.
type Match struct {
	ID     chain.BlockID
	Header chain.Header
	Owners []int

	// Disapproved: the next block is stored and disapproves the regular transactions
	// of this one (dcrd: header VoteBits bit 0, dcrutil.BlockValid).
	Disapproved bool

	judged bool // the next block was read after it
}

// End is a block at which the tests for somebody end, and the ticket price in its
// header, in atoms.
type End struct {
	ID    chain.BlockID
	Price int64
}

const (
	// MaxMatches is how many blocks a pass finds at most: they are all fetched before
	// they are handed out, and have up to 393,216 bytes (chaincfg MaximumBlockSizes).
	MaxMatches = 64

	// maxWork ends a pass, in scripts times blocks: a second or two on one core.
	maxWork = 500_000_000

	// partBlocks is how many blocks a processor tests at a time.
	partBlocks = 2000

	// ctxBlocks is after how many blocks a processor looks whether it is to end.
	ctxBlocks = 16
)

// Run tests blocks for requests, from the first block that any of them wants on, on all
// processors.
func Run(ctx context.Context, src Source, requests []Request) (Result, error) {
	res := Result{Ends: make(map[uint32]End)}
	processors := uint32(runtime.GOMAXPROCS(0))
	matchers := make([]filters.Matcher, processors)
	var group group
	for from, work := uint32(0), 0; len(res.Matches) < MaxMatches && work < maxWork; {
		round, ok := nextRound(requests, from, processors*partBlocks)
		if !ok {
			break
		}
		group.choose(requests, round)
		var parts []part
		for start := round.From; start <= round.To && start >= round.From; start += partBlocks {
			parts = append(parts, part{Range: chain.Range{From: start, To: min(round.To, start+partBlocks-1)}})
		}
		g, ctx := errgroup.WithContext(ctx)
		for i := range parts {
			g.Go(func() error { return parts[i].match(ctx, src, &group, &matchers[i]) })
		}
		if err := g.Wait(); err != nil {
			return Result{}, err
		}
		for i := 0; i < len(parts) && len(res.Matches) < MaxMatches; i++ {
			res.add(&parts[i])
		}
		work += int(round.To-round.From+1) * group.scripts
		from = round.To + 1
	}
	return res, res.judge(src)
}

// judge finds out which matches the next block disapproves, if it was not read in the
// same part.
func (r *Result) judge(src Source) error {
	for i := range r.Matches {
		m := &r.Matches[i]
		m.ID = chain.BlockID{Height: m.Header.Height(), Hash: m.Header.Hash()}
		if m.judged {
			continue
		}
		next, ok, err := src.Next(m.ID)
		if err != nil {
			return err
		}
		m.Disapproved = ok && disapproves(&next)
	}
	return nil
}

// disapproves reports whether a block disapproves the one before it.
func disapproves(h *chain.Header) bool { return h.Height() > 1 && h.VoteBits()&1 == 0 }

// nextRound returns the first blocks from a height on that anybody wants, no more than
// given, and none beyond a gap.
func nextRound(requests []Request, from, blocks uint32) (r chain.Range, ok bool) {
	for _, req := range requests {
		if req.To < from || req.From > req.To {
			continue
		}
		if first := max(req.From, from); !ok || first < r.From {
			r.From, ok = first, true
		}
	}
	if !ok {
		return r, false
	}
	for grown := true; grown && r.To < r.From+blocks-1; {
		grown = false
		for _, req := range requests {
			if to := min(req.To, r.From+blocks-1); req.From <= max(r.To+1, r.From) && to > r.To {
				r.To, grown = to, true
			}
		}
	}
	r.To = max(r.To, r.From)
	return r, true
}

// group are the requests for some blocks.
type group struct {
	members []int // indexes of requests
	of      []Request
	ends    []uint32       // of requests, each once
	union   *filters.Query // of all of them
	scripts int
}

// choose makes it the group of requests that want any of some blocks.
func (g *group) choose(requests []Request, r chain.Range) {
	var members []int
	for i, req := range requests {
		if req.From <= r.To && req.To >= r.From {
			members = append(members, i)
		}
	}
	if slices.Equal(members, g.members) {
		return
	}
	*g = group{members: members, of: requests}
	var queries []*filters.Query
	for _, i := range members {
		queries = append(queries, requests[i].Query)
		g.scripts += requests[i].Query.Len()
		if !slices.Contains(g.ends, requests[i].To) {
			g.ends = append(g.ends, requests[i].To)
		}
	}
	g.union = queries[0]
	if len(queries) > 1 {
		g.union = filters.Union(queries...)
	}
}

// owners returns which requests want a block because of what is in it. A filter that makes
// no sense, although its header commits to it, is a match for everybody: only the block
// tells.
func (g *group) owners(m *filters.Matcher, height uint32, key [16]byte, filter []byte) (owners []int) {
	for _, i := range g.members {
		req := &g.of[i]
		if height < req.From || height > req.To {
			continue
		}
		if match, err := m.Match(req.Query, key, filter); match || err != nil {
			owners = append(owners, i)
		}
	}
	return owners
}

// part are blocks that one processor tests.
type part struct {
	chain.Range
	matches     []Match
	disapproved []uint32
	ends        []End // in ascending order; the last one is the end of what was tested
}

// match tests the blocks of a part. It stops at MaxMatches.
func (p *part) match(ctx context.Context, src Source, g *group, m *filters.Matcher) error {
	var ended error
	err := src.Blocks(p.Range, func(height uint32, h *chain.Header, filter []byte) bool {
		if height%ctxBlocks == 0 {
			if ended = ctx.Err(); ended != nil {
				return false
			}
		}
		p.judge(height, h)
		match, err := m.Match(g.union, h.FilterKey(), filter)
		if (match || err != nil) && height > 0 { // nobody can spend what the genesis block pays
			if owners := g.owners(m, height, h.FilterKey(), filter); len(owners) > 0 {
				p.matches = append(p.matches, Match{Header: *h, Owners: owners})
			}
		}
		last := height == p.To || len(p.matches) == MaxMatches
		if last || slices.Contains(g.ends, height) {
			p.ends = append(p.ends, endAt(h))
		}
		return !last
	})
	return cmp.Or(err, ended)
}

// judge takes what a block says about the one before it.
func (p *part) judge(height uint32, h *chain.Header) {
	no := disapproves(h)
	if no {
		p.disapproved = append(p.disapproved, height-1)
	}
	if n := len(p.matches); n > 0 && p.matches[n-1].Header.Height()+1 == height {
		p.matches[n-1].Disapproved, p.matches[n-1].judged = no, true
	}
}

func endAt(h *chain.Header) End {
	return End{chain.BlockID{Height: h.Height(), Hash: h.Hash()}, h.SBits()}
}

// add appends a part, as far as there is room for its matches.
func (r *Result) add(p *part) {
	end := p.ends[len(p.ends)-1]
	if room := MaxMatches - len(r.Matches); len(p.matches) >= room {
		p.matches = p.matches[:room]
		end = endAt(&p.matches[room-1].Header)
	}
	r.Matches = append(r.Matches, p.matches...)
	for _, height := range p.disapproved {
		if height < end.ID.Height {
			r.Disapproved = append(r.Disapproved, height)
		}
	}
	for _, e := range append(p.ends, end) {
		if e.ID.Height <= end.ID.Height {
			r.Ends[e.ID.Height] = e
		}
	}
	r.Through = end.ID.Height
}
