package spv

import (
	"maps"
	"slices"
	"time"

	"dcrspv/spv/chain"

	"github.com/decred/dcrd/chaincfg/chainhash"
)

// unserved is the search for a branch that nobody serves: valid headers without filters.
// Such a branch can't be followed, however much work it has: whoever made it withholds the
// blocks, or they are not valid in what headers don't show. So that it can't keep us from
// the chain that the other peers serve, it is given up after a while.
type unserved struct {
	block  chain.BlockID   // the lowest block that nobody delivers the filter of
	since  time.Time       // since when one at that height is missing; zero if none is
	silent map[string]bool // the peers that were asked for its filter in vain

	avoided map[chainhash.Hash]avoided
}

// avoided is a block that is not taken for a while from peers that were asked for it in
// vain. Whoever else delivers its header may serve its filter too.
type avoided struct {
	until  time.Time
	silent map[string]bool
}

const (
	// unservedPatience is how long a filter is waited for that nobody delivers
	// while there are peers whose chain ends below it.
	unservedPatience = 15 * time.Second

	// avoidTime is how long a branch that was given up is avoided.
	avoidTime = 10 * time.Minute

	// maxAvoided bounds the branches that are avoided.
	maxAvoided = 64
)

// look takes note of the lowest block whose filter was asked for and is missing.
func (u *unserved) look(block chain.BlockID, now time.Time) {
	if u.since.IsZero() || u.block.Height != block.Height {
		u.since = now
	}
	if u.block != block {
		u.block, u.silent = block, make(map[string]bool)
	}
}

// found: no filter is missing that somebody may not deliver.
func (u *unserved) found() { u.since = time.Time{} }

// inVain notes a peer that was asked for the filter in vain.
func (u *unserved) inVain(addr string) { u.silent[addr] = true }

// excuse has time that we were away count for nothing.
func (u *unserved) excuse(away time.Duration) {
	if !u.since.IsZero() {
		u.since = u.since.Add(away)
	}
}

// giveUp avoids the block from now on. Peers that were asked for it an earlier time stay
// noted.
func (u *unserved) giveUp(now time.Time) {
	u.found()
	if u.avoided == nil {
		u.avoided = make(map[chainhash.Hash]avoided)
	}
	hash, silent := u.block.Hash, maps.Clone(u.silent)
	maps.Copy(silent, u.avoided[hash].silent)
	delete(u.avoided, hash)
	if len(u.avoided) >= maxAvoided {
		delete(u.avoided, slices.MinFunc(slices.Collect(maps.Keys(u.avoided)), func(a, b chainhash.Hash) int {
			return u.avoided[a].until.Compare(u.avoided[b].until)
		}))
	}
	u.avoided[hash] = avoided{now.Add(avoidTime), silent}
}

// taken returns the headers that a peer has delivered before the first that is avoided.
// One that others have brought since is not.
func (u *unserved) taken(b chain.Batch, addr string, best *chain.Chain, now time.Time) chain.Batch {
	for i, hash := range b.Hashes {
		switch a, ok := u.avoided[hash]; {
		case !ok:
		case !now.Before(a.until):
			delete(u.avoided, hash)
		case a.silent[addr] && !best.Known(hash, b.Headers[i].Height()):
			return chain.Batch{Headers: b.Headers[:i], Hashes: b.Hashes[:i]}
		}
	}
	return b
}
