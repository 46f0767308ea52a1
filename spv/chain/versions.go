package chain

import (
	"fmt"
	"slices"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/wire"
)

// A rule change begins with a new block version. Once nearly all miners use it,
// blocks of the version before are refused, so that the votes on the change are
// counted in blocks that know it.

const (
	// countedVersions is the highest block version that has a count of its own: the
	// version of dcrd since blake3, which is one lower on mainnet.
	countedVersions = 12

	// stakeVersionSince is the block version that has a stake version.
	stakeVersionSince = 3
)

// newestVersion is the block version that dcrd makes: no majority can make it,
// or a later one, outdated (isOldBlockVersionByMajority).
func (r *Rules) newestVersion() int32 {
	if r.params.Net == wire.MainNet {
		return countedVersions - 1
	}
	return countedVersions
}

// versionWindow counts the block versions of the last blocks of a branch, as many as the
// rule of the majority needs. Moving it on by one block costs one block; only for another
// branch all blocks are counted again. The zero value is ready for use.
type versionWindow struct {
	top    BlockID // the last block counted
	counts [countedVersions + 1]int
}

// counted is the index of a version in counts. Versions below zero, which no
// miner makes, count as zero: that can only spare such a block.
func counted(version int32) int { return int(min(max(version, 0), countedVersions)) }

// atLeast is the number of blocks of a version or a later one.
func (w *versionWindow) atLeast(version int) (n int) {
	for _, c := range w.counts[version:] {
		n += c
	}
	return n
}

// moveTo makes prev, the block of that hash, the last block counted, of size
// blocks in all, fewer near the genesis block. !ok if an ancestor is not known.
func (w *versionWindow) moveTo(prev *Header, hash chainhash.Hash, size uint32, anc Ancestor) (ok bool) {
	height := prev.Height()
	if w.top.Height == height && w.top.Hash == hash {
		return true
	}
	next := w.top.Height + 1
	rolls := w.isBelow(prev, size/2, anc)
	if !rolls {
		*w = versionWindow{}
		next = height + 1 - min(size, height+1)
	}
	for ; next <= height; next++ {
		h := anc.from(prev, next)
		if h == nil {
			break
		}
		w.counts[counted(h.Version())]++
		if rolls && next >= size {
			if h = anc(next - size); h == nil {
				break
			}
			w.counts[counted(h.Version())]--
		}
	}
	if next <= height {
		*w = versionWindow{}
		return false
	}
	w.top = BlockID{height, hash}
	return true
}

// isBelow reports whether the last block counted is an ancestor of prev, no
// further below than distance.
func (w *versionWindow) isBelow(prev *Header, distance uint32, anc Ancestor) bool {
	if prev.Height() <= w.top.Height || prev.Height()-w.top.Height > distance {
		return false
	}
	child := anc.from(prev, w.top.Height+1)
	return child != nil && child.PrevBlock() == w.top.Hash
}

// checkVersion checks that the block version is not outdated: a majority uses newer ones.
func (r *Rules) checkVersion(h *Header, hash *chainhash.Hash, prev *Header, anc Ancestor, w *versionWindow) error {
	version := h.Version()
	if version >= r.newestVersion() {
		return nil
	}
	if !w.moveTo(prev, h.PrevBlock(), uint32(r.params.BlockUpgradeNumToCheck), anc) {
		return fmt.Errorf("%w: ancestors not known", ErrVersion)
	}
	newer := w.atLeast(counted(version) + 1)
	if newer < int(r.params.BlockRejectNumRequired) || r.exempt(BlockID{h.Height(), *hash}, version) {
		return nil
	}
	return fmt.Errorf("%w: %d, but %d of the last %d blocks are newer", ErrVersion,
		version, newer, r.params.BlockUpgradeNumToCheck)
}

// exempt reports whether the block is one of those that were accepted with an
// outdated version while DCP0005 was voted on, by a fault of dcrd, and became
// part of the chain (isDCP0005Violation).
func (r *Rules) exempt(id BlockID, version int32) bool {
	switch r.params.Net {
	case wire.MainNet:
		return version == 6 && slices.Contains(mainNetOutdated(), listedBlock{id.Height, id.Hash.String()})
	case wire.TestNet3:
		return version == 7 && id.Height <= 323282
	}
	return false
}

// checkStakeVersion checks what headers show of the stake version, which is the
// version that most votes of an earlier interval have. The votes are in blocks;
// but before there was a whole interval of them it is zero, and it stays the same
// throughout an interval (calcStakeVersion).
//
// It binds blocks of version 3 or later once most blocks are.
func (r *Rules) checkStakeVersion(h, prev *Header, anc Ancestor, w *versionWindow) error {
	p := r.params
	got, before := h.StakeVersion(), prev.StakeVersion()
	height := int64(h.Height())
	early := height < p.StakeValidationHeight+p.StakeVersionInterval
	switch {
	case early && got == 0, !early && got == before:
		return nil
	case !early && (height-p.StakeValidationHeight)%p.StakeVersionInterval == 0:
		return nil // a new interval
	case h.Version() < stakeVersionSince, !early && prev.Version() < stakeVersionSince:
		return nil
	}
	size := uint32(p.BlockUpgradeNumToCheck)
	if !w.moveTo(prev, h.PrevBlock(), size, anc) {
		return fmt.Errorf("%w: ancestors not known", ErrStakeVersion)
	}
	enforced := int(p.BlockEnforceNumRequired)
	n := w.atLeast(stakeVersionSince)
	if n < enforced {
		return nil
	}
	if early {
		return fmt.Errorf("%w: %d before any votes were counted", ErrStakeVersion, got)
	}
	// Was it enforced for prev too? Its window began and ended a block earlier.
	n--
	if height > int64(size) {
		if first := anc(h.Height() - 1 - size); first != nil && first.Version() >= stakeVersionSince {
			n++
		}
	}
	if n < enforced {
		return nil
	}
	return fmt.Errorf("%w: %d after %d in the same interval", ErrStakeVersion, got, before)
}
