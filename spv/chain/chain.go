package chain

import (
	"cmp"
	"fmt"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/math/uint256"
)

const (
	// recentHeaders is how many headers of the best chain stay in memory after
	// they have been stored. It covers what the rules look back at for one
	// block: 2880 for the difficulty of the blake256 era, 1000 for the block
	// version, 400 for the ticket price.
	recentHeaders = 4096

	// maxSideHeaders bounds the headers of all side branches together, and
	// those of an unproven best chain that no anchor will confirm or refute.
	maxSideHeaders = 20000
)

// Source gives the headers of the stored best chain by height, up to its tip. A
// Chain asks it only for heights below those it holds in memory.
type Source interface {
	Header(height uint32) (Header, error)
	Headers(Range) ([]Header, error)
}

// Chain keeps the best chain of headers, the one with the most work that
// contradicts no anchor, and the branches that may overtake it. It has one
// owner: no method may run at the same time as another.
//
// In memory are the newest headers of the best chain, all that are not yet
// stored, and the side branches. Older headers are read from the Source.
type Chain struct {
	rules    *Rules
	src      Source
	best     segment    // end of the best chain; never empty
	branches []*segment // each hangs off the best chain at its fork()

	// The store holds the chain that ends with stored. Up to the height common
	// it is the best chain: heights at or below are read from the Source when
	// they are not in memory. best begins at or below common+1.
	stored BlockID
	common uint32

	versions versionWindow // of the branch extended last

	on     *segment // the branch that Add is extending
	anc    Ancestor // likewise: c.ancestor
	asert  *Header  // block rules.asertAnchor of the best chain, once needed
	srcErr error    // first failure of src during the current Add
	failed error    // first failure of src ever
	broken error    // the stored tip could not be loaded

	keep    int // recentHeaders
	maxSide int // maxSideHeaders
}

// New makes a Chain of the stored chain that ends with tip and has the given
// total work (as handed out by Unstored; it counts for nothing if tip is the
// genesis block, which need not be stored: then src may be nil).
//
// A stored chain that contradicts an anchor, because it was written by a
// version that did not have it, is not used: the Chain starts again from the
// genesis block.
//
// If src cannot read its own tip, every Add fails with ErrSource.
func New(r *Rules, src Source, tip BlockID, work uint256.Uint256) *Chain {
	c := &Chain{rules: r, src: src, stored: tip, keep: recentHeaders, maxSide: maxSideHeaders}
	c.anc = c.ancestor
	if tip.Height == 0 || !c.load(tip, work) {
		h, id := r.Genesis()
		c.best = segment{}
		c.best.push(&h, &id.Hash)
	}
	c.common = c.Tip().Height
	return c
}

// load makes the stored tip the best chain; !ok if that contradicts an anchor.
func (c *Chain) load(tip BlockID, work uint256.Uint256) (ok bool) {
	if known, any := c.rules.lastAnchorBlock(tip.Height); any {
		if h := c.read(known.height); h != nil && h.Hash() != known.hash {
			return false
		}
	}
	h := c.read(tip.Height)
	switch {
	case h == nil:
		h, c.broken = new(Header), c.srcErr
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

// Suspect reports whether the best chain has passed the last anchor and has
// less work even so than the network is known to have done. Then it is not the
// network's chain, or not all of it yet; Unstored holds back what is above the
// anchor.
func (c *Chain) Suspect() bool {
	height := c.Tip().Height
	return !c.Proven() && !c.rules.anchorAbove(height) && c.rules.lastAnchor(height) < height
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
	return BlockID{height, hash}, ok
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
	headers, ok = c.readMany(Range{r.From, min(r.To, c.best.base-1)})
	if !ok {
		return nil, nil, false
	}
	if r.To >= c.best.base {
		headers = append(headers, c.best.headers.slice(0, int(r.To+1-c.best.base))...)
	}
	hashes = make([]chainhash.Hash, len(headers))
	for i := range hashes[1:] {
		hashes[i] = headers[i+1].PrevBlock() // the child knows it, which saves hashing
	}
	last := len(hashes) - 1
	hashes[last], ok = c.Hash(r.To)
	return headers, hashes, ok
}

// readMany gives stored headers.
func (c *Chain) readMany(r Range) (headers []Header, ok bool) {
	headers, err := c.src.Headers(r)
	if err != nil {
		c.sourceFailed(err)
	}
	return headers, err == nil
}

// sourceFailed notes that the Source could not be read.
func (c *Chain) sourceFailed(err error) {
	err = fmt.Errorf("%w: %w", ErrSource, err)
	c.srcErr = cmp.Or(c.srcErr, err)
	c.failed = cmp.Or(c.failed, err)
}

// Failed is the first failure of the Source, as an ErrSource; nil if it has not failed.
// What was asked of the Chain since may not be true.
func (c *Chain) Failed() error { return c.failed }

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
			c.asert = c.read(height)
		}
		return c.asert
	}
	return c.read(height)
}

// ancestor is the header at height of the branch that Add is extending.
func (c *Chain) ancestor(height uint32) *Header {
	if height >= c.on.base {
		return c.on.at(height)
	}
	return c.bestHeader(height)
}

// read gives a stored header; nil if that fails.
func (c *Chain) read(height uint32) *Header {
	if height == 0 {
		h := c.rules.genesis
		return &h
	}
	h, err := c.src.Header(height)
	if err != nil {
		c.sourceFailed(err)
		return nil
	}
	return &h
}
