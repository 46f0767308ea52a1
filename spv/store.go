package spv

import (
	"dcrspv/spv/chain"
	"dcrspv/spv/internal/chaindb"

	"github.com/decred/dcrd/math/uint256"
)

const (
	// maxHeaderWrite is how many headers are written in one transaction.
	maxHeaderWrite = 8000

	// wholeHeaders is where a write ends while more are on their way: whole
	// records, and few writes, as each leaves holes in the file.
	wholeHeaders = 8000
)

// writeMore starts the next write. Headers go first, because filters need
// them; and a reorg must have reached the disk before the filters of the new
// branch do.
func (e *engine) writeMore() {
	if e.writer.busy {
		return
	}
	if above, headers, work, ok := e.unstored(); ok {
		e.writeHeaders(above, headers, work)
	} else if from, filters := e.filters.readyRun(); len(filters) > 0 {
		e.writeFilters(from, filters)
	} else if e.verifyLegacy() {
		return
	} else if e.trouble.changed() {
		e.write(e.trouble.save(), nil)
	} else if save, due := e.saved.next(e.registry, e.now); due {
		e.write(save, nil)
	}
}

// unstored returns the headers to be written next (chain.Unstored). While more
// are on their way it waits for whole records, unless so many wait already that
// those are not taken in (maxBacklog): then it would wait for ever.
func (e *engine) unstored() (above uint32, headers []chain.Header, work uint256.Uint256, ok bool) {
	above, headers, work, ok = e.chain.Unstored(maxHeaderWrite)
	n := uint32(len(headers))
	if rest := (above + n + 1) % wholeHeaders; ok && rest > 0 && e.moreHeaders() && e.chain.Storable() <= maxBacklog {
		return e.chain.Unstored(int(n - min(n, rest)))
	}
	return above, headers, work, ok
}

// writeHeaders has headers put in the place of all that are stored above a height.
func (e *engine) writeHeaders(above uint32, headers []chain.Header, work uint256.Uint256) {
	end, ok := e.chain.Block(above + uint32(len(headers)))
	if !ok {
		return // run sees what could not be read
	}
	losesSet := above < e.disk.end.Height && above < e.filters.legacy.last
	e.write(func(db *chaindb.DB) error {
		if losesSet {
			if err := forgetFilterSet(db); err != nil {
				return err
			}
		}
		return db.ReplaceHeaders(above, headers, work)
	}, func() {
		if tip, _ := e.db.Tip(); tip != end {
			e.fail(errJoined)
			return
		}
		e.chain.Stored(end)
		e.disk.wrote(end, e.chain)
		e.filters.setHeld(e.db.Filters(), e.disk.tip.Height)
	})
}

// writeFilters has filters stored.
func (e *engine) writeFilters(from uint32, filters [][]byte) {
	hash := e.hashStored(chain.Range{From: from, To: from + uint32(len(filters)) - 1})
	e.write(func(db *chaindb.DB) error {
		if err := db.PutFilters(from, filters); err != nil {
			return err
		}
		return hash(db)
	}, func() {
		e.filters.setHeld(e.db.Filters(), e.disk.tip.Height)
		if through, ok := e.filters.through(); ok {
			e.logs.filters.Debugf("Filters are held through block %d", through)
		}
	})
}

// reorgDisk takes note of a reorg: what is on disk above the fork is not of the
// best chain any more. While something is written that decides.
func (e *engine) reorgDisk(fork chain.BlockID) {
	e.disk.reorg(fork)
	held := e.filters.held
	if !e.writer.busy {
		e.disk.rejoin(e.chain, e.disk.tip)
		held = e.db.Filters()
	}
	e.filters.setHeld(held, e.disk.tip.Height)
}
