package spv

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"time"

	"dcrspv/spv/chain"
	"dcrspv/spv/internal/chaindb"
	"dcrspv/spv/internal/registry"

	"github.com/decred/dcrd/math/uint256"
)

// store is the writing side: one goroutine does every write to chain.db, one
// at a time, in the order in which the engine decides them.
type store struct {
	jobs chan func(*chaindb.DB) event // never full: busy tells
	busy bool

	disk chain.BlockID // where the headers on disk end

	// tip is where the headers on disk leave the best chain: their end, or the
	// fork while a reorg has not been written yet.
	tip chain.BlockID

	// fork is the lowest fork since the write in progress began.
	fork chain.BlockID

	registrySaved time.Time
	registryData  []byte // what was saved
}

const (
	// maxHeaderWrite is how many headers are written in one transaction.
	maxHeaderWrite = 8000

	// writeHeaders is where a write ends while more are on their way: whole
	// records, and few writes, as each leaves holes in the file.
	writeHeaders = 8000

	// registryEvery is how often the registry is saved.
	registryEvery = 30 * time.Second

	// registryBlob is the name in chain.db under which the registry is saved
	// (registry.Marshal).
	registryBlob = "registry"
)

func newStore(tip chain.BlockID) store {
	return store{jobs: make(chan func(*chaindb.DB) event, 1), disk: tip, tip: tip}
}

func (e *engine) goStore() {
	e.goWorker(func() {
		for {
			select {
			case job := <-e.store.jobs:
				e.post(job(e.db))
			case <-e.ctx.Done():
				return
			}
		}
	})
}

// write starts a job. The event that it returns must call writeDone.
func (e *engine) write(job func(*chaindb.DB) event) {
	e.store.busy = true
	e.store.fork = chain.BlockID{Height: ^uint32(0)}
	e.store.jobs <- job
}

// writeDone takes note of the end of a job and of its error, which is never a
// peer's fault.
func (e *engine) writeDone(err error) bool {
	e.store.busy = false
	if err != nil {
		e.fail(err)
	}
	return err == nil
}

// writeMore starts the next write. Headers go first, because filters need
// them; and a reorg must have reached the disk before the filters of the new
// branch do.
func (e *engine) writeMore() {
	if e.store.busy {
		return
	}
	if above, headers, work, ok := e.unstored(); ok {
		tip := chain.BlockID{Height: above + uint32(len(headers)), Hash: headers[len(headers)-1].Hash()}
		losesSet := above < e.store.disk.Height && above < e.filters.set.last
		e.write(func(db *chaindb.DB) event {
			var err error
			if losesSet {
				err = db.PutBlob(filterSetBlob, nil)
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
	if e.verifyFilterSet() {
		return
	}
	if e.trouble.changed() {
		save := e.trouble.save()
		e.write(func(db *chaindb.DB) event { return troubleWritten{save(db)} })
		return
	}
	if e.now.Sub(e.store.registrySaved) >= registryEvery {
		e.store.registrySaved = e.now
		data, err := e.registry.Marshal(e.now)
		if err == nil && bytes.Equal(data, e.store.registryData) {
			return
		}
		e.store.registryData = data
		e.write(func(db *chaindb.DB) event {
			if err == nil {
				err = db.PutBlob(registryBlob, data)
			}
			return registryWritten{err}
		})
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
	e.store.disk = ev.tip
	e.chain.Stored(ev.tip)
	e.rejoinDisk(e.store.fork)
}

// rejoinDisk finds where the disk leaves the best chain now. The disk was on it
// up to the fork at least. After a reorg and back, it is all of the best chain
// again, and the filters are there still.
func (e *engine) rejoinDisk(fork chain.BlockID) {
	s := &e.store
	switch {
	case e.chain.Contains(s.disk):
		s.tip = s.disk
	case fork.Height < s.disk.Height:
		s.tip = fork
	}
	e.filters.setHeld(e.db.Filters(), s.tip.Height)
}

// filtersWritten: filters are on disk.
type filtersWritten struct {
	held chain.Ranges
	err  error
}

func (ev filtersWritten) apply(e *engine) {
	if e.writeDone(ev.err) {
		e.filters.setHeld(ev.held, e.store.tip.Height)
		if through, ok := e.filters.through(); ok {
			e.logs.filters.Debugf("Filters are held through block %d", through)
		}
	}
}

// reorgDisk takes note of a reorg: what is on disk above the fork is not of the
// best chain any more.
func (e *engine) reorgDisk(fork chain.BlockID) {
	s := &e.store
	if fork.Height < s.fork.Height {
		s.fork = fork
	}
	if fork.Height < s.tip.Height {
		s.tip = fork
	}
	if s.busy {
		e.filters.setHeld(e.filters.held, s.tip.Height)
		return // the write decides
	}
	e.rejoinDisk(s.tip)
}

// registryWritten: the registry is on disk.
type registryWritten struct{ err error }

func (ev registryWritten) apply(e *engine) { e.writeDone(ev.err) }

// loadRegistry restores what was known about peers and adds those of the
// configuration.
func (e *engine) loadRegistry() error {
	if err := readRegistry(e.db, e.registry, e.now); err != nil {
		return err
	}
	for _, addr := range e.cfg.Connect {
		if err := e.registry.Add(addr, true, e.now); err != nil {
			return err
		}
	}
	e.store.registrySaved = e.now
	return nil
}

// newRegistry makes an empty registry.
func newRegistry(opts registry.Options) *registry.Registry {
	return registry.New(opts, rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())))
}

// readRegistry restores a registry that was stored, if one was.
func readRegistry(db *chaindb.DB, r *registry.Registry, now time.Time) error {
	data, err := db.Blob(registryBlob)
	if err != nil || data == nil {
		return err
	}
	if err := r.Unmarshal(data, now); err != nil {
		return fmt.Errorf("peers in %s: %w", ChainFile, err)
	}
	return nil
}

// writeRegistry stores a registry. The writer of the engine, if there is one, has ended.
func writeRegistry(db *chaindb.DB, r *registry.Registry, now time.Time) error {
	data, err := r.Marshal(now)
	if err != nil {
		return err
	}
	return db.PutBlob(registryBlob, data)
}
