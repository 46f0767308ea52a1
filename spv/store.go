package spv

import (
	"dcrspv/spv/chain"
	"dcrspv/spv/internal/chaindb"

	"github.com/decred/dcrd/math/uint256"
)

const (
	// maxHeaderWrite is how many headers are written in one transaction.
	maxHeaderWrite = 8000

	// writeHeaders is where a write ends while more are on their way: whole
	// records, and few writes, as each leaves holes in the file.
	writeHeaders = 8000
)

// writeMore starts the next write. Headers go first, because filters need
// them; and a reorg must have reached the disk before the filters of the new
// branch do.
func (e *engine) writeMore() {
	if e.writer.busy {
		return
	}
	if above, headers, work, ok := e.unstored(); ok {
		tip, ok := e.chain.Block(above + uint32(len(headers)))
		if !ok {
			return // run sees what could not be read
		}
		losesSet := above < e.disk.end.Height && above < e.filters.legacy.last
		e.write(func(db *chaindb.DB) event {
			var err error
			if losesSet {
				err = db.PutBlob(legacyBlob, nil)
			}
			if err == nil {
				err = db.ReplaceHeaders(above, headers, work)
			}
			return headersWritten{tip: tip, err: err}
		})
		return
	}
	if from, filters := e.filters.readyRun(); len(filters) > 0 {
		hash := e.hashStored(chain.Range{From: from, To: from + uint32(len(filters)) - 1})
		e.write(func(db *chaindb.DB) event {
			err := db.PutFilters(from, filters)
			if err == nil {
				err = hash(db)
			}
			return filtersWritten{held: db.Filters(), err: err}
		})
		return
	}
	if e.verifyLegacy() {
		return
	}
	if e.trouble.changed() {
		save := e.trouble.save()
		e.write(func(db *chaindb.DB) event { return written{save(db)} })
		return
	}
	if save, due := e.saved.next(e.registry, e.now); due {
		e.write(func(db *chaindb.DB) event { return written{save(db)} })
	}
}

// unstored returns the headers to be written next (chain.Unstored). While more
// are on their way it waits for whole records, unless so many wait already that
// those are not taken in (maxBacklog): then it would wait for ever.
func (e *engine) unstored() (above uint32, headers []chain.Header, work uint256.Uint256, ok bool) {
	above, headers, work, ok = e.chain.Unstored(maxHeaderWrite)
	n := uint32(len(headers))
	if rest := (above + n + 1) % writeHeaders; ok && rest > 0 && e.moreHeaders() && e.chain.Storable() <= maxBacklog {
		return e.chain.Unstored(int(n - min(n, rest)))
	}
	return above, headers, work, ok
}

// headersWritten: headers are on disk.
type headersWritten struct {
	tip chain.BlockID
	err error
}

func (ev headersWritten) apply(e *engine) {
	if !e.writeDone(ev.err) {
		return
	}
	if tip, _ := e.db.Tip(); tip != ev.tip {
		e.fail(errJoined)
		return
	}
	e.chain.Stored(ev.tip)
	e.disk.wrote(ev.tip, e.chain)
	e.filters.setHeld(e.db.Filters(), e.disk.tip.Height)
}

// filtersWritten: filters are on disk.
type filtersWritten struct {
	held chain.Ranges
	err  error
}

func (ev filtersWritten) apply(e *engine) {
	if e.writeDone(ev.err) {
		e.filters.setHeld(ev.held, e.disk.tip.Height)
		if through, ok := e.filters.through(); ok {
			e.logs.filters.Debugf("Filters are held through block %d", through)
		}
	}
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
