package chain

import (
	"fmt"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/math/uint256"
)

const (
	// recentHeaders is how many headers of the best chain stay in memory after
	// they have been stored. It covers the blocks that the rules for one block
	// depend on: 2880 for the difficulty of the blake256 era, 1000 for the block
	// version, 400 for the ticket price.
	recentHeaders = 4096

	// maxSideHeaders bounds the headers of all side branches together, and
	// those of an unproven best chain that no checkpoint will confirm or refute.
	maxSideHeaders = 20000
)

// Chain keeps the best chain of headers, the one with the most work that
// contradicts no checkpoint, and the branches that may overtake it. It has one
// owner: no method may run at the same time as another.
//
// In memory are the newest headers of the best chain, all that are not yet
// stored, and the side branches. Older headers are read from the Source.
type Chain struct {
	rules     *Rules
	src       reader
	best      segment // end of the best chain; never empty, begins at or below stored.common+1
	branches  sideBranches
	stored    storedChain
	landmarks landmarks
	versions  versionWindow // of the branch extended last
	asert     *Header       // block rules.asertAnchor of the best chain, once needed
	broken    error         // the stored tip could not be loaded

	keep    int // recentHeaders
	maxSide int // maxSideHeaders
}

// New makes a Chain of the stored chain that ends with tip and has the given
// total work (as handed out by Unstored; it counts for nothing if tip is the
// genesis block, which need not be stored: then src may be nil).
//
// A stored chain that contradicts a checkpoint, because it was written by a
// version that did not have it, is not used: the Chain starts again from the
// genesis block.
//
// If src cannot read its own tip, every Add fails with ErrSource.
func New(r *Rules, src Source, tip BlockID, work uint256.Uint256) *Chain {
	c := &Chain{rules: r, src: reader{src: src, genesis: r.genesis}, keep: recentHeaders, maxSide: maxSideHeaders}
	if tip.Height == 0 || !c.load(tip, work) {
		h, id := r.Genesis()
		c.best = segment{}
		c.best.push(&h, &id.Hash)
	}
	c.stored = storedChain{tip: tip, common: c.Tip().Height}
	return c
}

// load makes the stored tip the best chain; !ok if that contradicts a checkpoint.
func (c *Chain) load(tip BlockID, work uint256.Uint256) (ok bool) {
	if known, any := c.rules.checkpoints.last(tip.Height); any {
		if h := c.src.header(known.Height); h != nil && h.Hash() != known.Hash {
			return false
		}
	}
	h := c.src.header(tip.Height)
	switch {
	case h == nil:
		h, c.broken = new(Header), c.src.err
	case h.Hash() != tip.Hash:
		c.broken = fmt.Errorf("%w: block %d is not %v", ErrSource, tip.Height, tip.Hash)
	}
	own := Work(h.Bits())
	below := work
	below.Sub(&own)
	c.best = segment{base: tip.Height, below: below}
	c.best.push(h, &tip.Hash)
	return true
}

// Tip is the last block of the best chain.
func (c *Chain) Tip() BlockID { return c.best.tip() }

// Work is the total work of the best chain, genesis block included.
func (c *Chain) Work() uint256.Uint256 { return *c.best.work() }

// Proven reports whether the best chain has the work that the network is known
// to have done. Until then it may be an imitation.
func (c *Chain) Proven() bool { return c.best.work().GtEq(&c.rules.minWork) }

// Suspect reports whether the best chain has passed the last checkpoint and has
// less work even so than the network is known to have done. Then it is not the
// network's chain, or not all of it yet; Unstored holds back the headers above
// the checkpoint.
func (c *Chain) Suspect() bool {
	height := c.Tip().Height
	return !c.Proven() && !c.rules.checkpoints.anyAbove(height) && c.rules.checkpoints.lastHeight(height) < height
}

// Header is the header of the best chain at height; !ok above the tip, or if
// the Source fails.
func (c *Chain) Header(height uint32) (h Header, ok bool) {
	p := c.bestHeader(height)
	if p == nil {
		return Header{}, false
	}
	return *p, true
}

// Hash is the hash of the block of the best chain at height; !ok above the tip,
// or if the Source fails.
func (c *Chain) Hash(height uint32) (hash chainhash.Hash, ok bool) {
	if height >= c.best.next() {
		return hash, false
	}
	if height >= c.best.base {
		return c.best.hash(height), true
	}
	// The child knows it, which saves hashing.
	child := c.bestHeader(height + 1)
	if child == nil {
		return hash, false
	}
	return child.PrevBlock(), true
}

// Block is the block of the best chain at height; !ok as for Hash.
func (c *Chain) Block(height uint32) (id BlockID, ok bool) {
	hash, ok := c.Hash(height)
	if !ok {
		return id, false
	}
	return BlockID{height, hash}, true
}

// Blocks are the headers and the hashes of a range of the best chain; !ok if it
// is not all there, or if the Source fails. They may be lent: they are only for
// reading and never change.
func (c *Chain) Blocks(r Range) (headers []Header, hashes []chainhash.Hash, ok bool) {
	if r.From > r.To || r.To >= c.best.next() {
		return nil, nil, false
	}
	if r.From >= c.best.base {
		from, to := int(r.From-c.best.base), int(r.To+1-c.best.base)
		return c.best.headers.slice(from, to), c.best.hashes.slice(from, to), true
	}
	// The block after the range is read too: each child knows its parent's hash, which
	// saves hashing.
	headers, ok = c.src.headers(Range{r.From, min(r.To+1, c.best.base-1)})
	if !ok {
		return nil, nil, false
	}
	if r.To+1 >= c.best.base {
		headers = append(headers, c.best.headers.slice(0, int(min(r.To+2, c.best.next())-c.best.base))...)
	}
	hashes = make([]chainhash.Hash, r.Len())
	for i := range headers[1:] {
		hashes[i] = headers[i+1].PrevBlock()
	}
	if len(headers) == len(hashes) { // the tip has no child
		hashes[len(hashes)-1] = c.Tip().Hash
	}
	return headers[:r.Len()], hashes, true
}

// Failed is the first failure of the Source, as an ErrSource; nil if it has not failed.
// Later results of the Chain may be wrong.
func (c *Chain) Failed() error { return c.src.failed }

// Contains reports whether the block is on the best chain.
func (c *Chain) Contains(id BlockID) bool {
	hash, ok := c.Hash(id.Height)
	return ok && hash == id.Hash
}

// Known reports whether the block is on the best chain or on a side branch.
func (c *Chain) Known(hash chainhash.Hash, height uint32) bool {
	return c.find(BlockID{Height: height, Hash: hash}) != nil
}

// Fork returns the height of the last block that the chain of a known block shares
// with the best chain: its own height if it is on the best chain.
func (c *Chain) Fork(id BlockID) (height uint32, ok bool) {
	switch s := c.find(id); s {
	case nil:
		return 0, false
	case &c.best:
		return id.Height, true
	default:
		return s.fork(), true
	}
}

// find is the segment that has the block: that of the best chain, even if the
// block itself is no longer in memory, or a side branch. nil if the block is
// not known.
func (c *Chain) find(id BlockID) *segment {
	if c.Contains(id) {
		return &c.best
	}
	for _, b := range c.branches {
		if b.holds(id) {
			return b
		}
	}
	return nil
}

// bestHeader is the header of the best chain at height, nil if there is none
// or it cannot be read.
func (c *Chain) bestHeader(height uint32) *Header {
	if height >= c.best.base {
		return c.best.at(height)
	}
	if height == c.rules.asertAnchor {
		// Every difficulty is measured from this block.
		if c.asert == nil {
			c.asert = c.src.header(height)
		}
		return c.asert
	}
	return c.src.header(height)
}

// ancestors gives the headers of a branch by height.
func (c *Chain) ancestors(on *segment) Ancestor {
	return func(height uint32) *Header {
		if height >= on.base {
			return on.at(height)
		}
		return c.bestHeader(height)
	}
}

// switchTo makes a branch that hangs off the best chain its end.
func (c *Chain) switchTo(s *segment) {
	end := *s
	if s.fork() >= c.best.base {
		end = c.best.upTo(s.fork())
		end.join(s)
	}
	c.setBest(end, s.fork())
}

// setBest sets the end of the best chain, which has changed above a height.
func (c *Chain) setBest(end segment, above uint32) {
	c.best = end
	c.landmarks.cut(above)
	if above < c.rules.asertAnchor {
		c.asert = nil
	}
}
