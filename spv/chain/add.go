package chain

import (
	"errors"
	"fmt"
	"time"

	"github.com/decred/dcrd/chaincfg/chainhash"
)

// Add takes a batch of checked headers: it skips those already known, checks the
// others against their branch (difficulty, ticket price, times, versions, checkpoints), adds
// them, and switches to their branch if that is now the best. The batch is
// copied.
//
// On an error the headers before the bad one are added nevertheless, and Update
// describes that. ErrOrphan, ErrFuture, ErrLowWork and ErrSource prove nothing
// against whoever sent the batch; ErrCheckpoint, ErrMedianTime, ErrSpacing, ErrBits,
// ErrStakeDiff, ErrVersion and ErrStakeVersion do.
func (c *Chain) Add(b Batch, now time.Time) (Update, error) {
	var u Update
	if c.broken != nil {
		return u, c.broken
	}
	c.src.forget()
	on, first, err := c.skipKnown(b, &u)
	if err != nil {
		return u, err
	}
	if first == len(b.Headers) {
		// Nothing new, but the Source may have failed when it was.
		if on != nil && on != &c.best && c.better(on) {
			err = c.promote(on, &u)
		}
		return u, err
	}
	parent := BlockID{b.Headers[first].Height() - 1, b.Headers[first].PrevBlock()}
	oldTip := c.Tip()
	on, err = c.grow(on, parent)
	if err != nil {
		return u, err
	}
	anc := c.ancestors(on)
	for i := first; i < len(b.Headers) && err == nil; i++ {
		err = c.extend(on, anc, &b.Headers[i], &b.Hashes[i], now)
		switch {
		case err == nil:
			u.took(on.tip())
		case errors.Is(err, ErrFuture):
			u.delayed(future(on, b.Headers[i:], b.Hashes[i]))
		}
	}
	if u.Added == 0 {
		return u, err
	}
	if on == &c.best {
		u.switched(oldTip, 0)
		c.dropRefuted()
		return u, err
	}
	if serr := c.settle(on, &u); serr != nil {
		err = serr
	}
	return u, err
}

// skipKnown passes over the headers that are known. first is the index of the
// first that is not, and on is the segment that has its parent.
func (c *Chain) skipKnown(b Batch, u *Update) (on *segment, first int, err error) {
	for ; first < len(b.Headers); first++ {
		id := BlockID{b.Headers[first].Height(), b.Hashes[first]}
		s := c.find(id)
		if s == nil {
			break
		}
		on = s
		u.skipped(id)
	}
	if first == 0 && len(b.Headers) > 0 {
		h := &b.Headers[0]
		parent := BlockID{h.Height() - 1, h.PrevBlock()}
		if on = c.find(parent); on == nil && c.src.err == nil {
			return nil, 0, fmt.Errorf("%w: %v", ErrOrphan, parent)
		}
	}
	return on, first, c.src.err
}

// grow is the segment that gets a child of parent: on itself if parent is its tip, else
// a new branch.
func (c *Chain) grow(on *segment, parent BlockID) (*segment, error) {
	if parent == on.tip() {
		return on, nil
	}
	if on != &c.best {
		// A branch off a branch has a copy of the part that both share. Side
		// branches are few and short, and each hangs off the best chain.
		s := on.upTo(parent.Height)
		return &s, nil
	}
	if known := c.rules.checkpoints.lastHeight(c.Tip().Height); parent.Height < known {
		return nil, fmt.Errorf("%w: a branch at height %d, below checkpoint %d", ErrCheckpoint, parent.Height, known)
	}
	below, err := c.workAt(parent.Height)
	return &segment{base: parent.Height + 1, below: below}, err
}

// extend checks one header against the branch that Add is extending and adds it.
func (c *Chain) extend(on *segment, anc Ancestor, h *Header, hash *chainhash.Hash, now time.Time) error {
	err := c.rules.checkContext(h, hash, anc, &c.versions, now)
	if c.src.err != nil {
		return c.src.err // without the ancestors the rules say nothing
	}
	if err == nil && on == &c.best {
		err = c.checkUnproven(h.Height())
	}
	if err != nil {
		return fmt.Errorf("block %v: %w", BlockID{h.Height(), *hash}, err)
	}
	on.push(h, hash)
	return nil
}

// checkUnproven bounds a best chain that has little work: unless a checkpoint is
// ahead that will confirm or refute it, it gets the room of a side branch.
func (c *Chain) checkUnproven(height uint32) error {
	if c.Proven() || c.rules.checkpoints.anyAbove(height-1) || height-c.stored.common <= uint32(c.maxSide) {
		return nil
	}
	return fmt.Errorf("%w: %d headers and still below the network's known work", ErrLowWork, height-c.stored.common)
}

// checkContext checks a header against its ancestors, by the rules that Check can't
// check. w may have counted these ancestors or others.
func (r *Rules) checkContext(h *Header, hash *chainhash.Hash, anc Ancestor, w *versionWindow, now time.Time) error {
	if r.checkpoints.contradict(BlockID{h.Height(), *hash}) {
		return ErrCheckpoint
	}
	prev := anc(h.Height() - 1)
	if prev == nil {
		return ErrOrphan
	}
	if err := checkMedianTime(h, prev, anc); err != nil {
		return err
	}
	if want := r.NextBits(prev, h.Timestamp(), anc); h.Bits() != want {
		return fmt.Errorf("%w: %08x, want %08x", ErrBits, h.Bits(), want)
	}
	if err := r.checkSpacing(h, prev); err != nil {
		return err
	}
	if err := r.checkStakeDiff(h, prev, anc); err != nil {
		return err
	}
	if err := r.checkVersion(h, hash, prev, anc, w); err != nil {
		return err
	}
	if err := r.checkStakeVersion(h, prev, anc, w); err != nil {
		return err
	}
	// Last: nothing else must be wrong with a header that may be tried again.
	return checkFuture(h, now)
}
