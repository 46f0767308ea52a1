package spv

import "dcrspv/spv/internal/chaindb"

// writer is the writing side: one goroutine does every write to chain.db, one
// at a time, in the order in which the engine decides them.
type writer struct {
	jobs chan func(*chaindb.DB) event // never full: busy tells
	busy bool
}

func newWriter() writer { return writer{jobs: make(chan func(*chaindb.DB) event, 1)} }

// start gives the writer a job, and done notes that it is over.
func (w *writer) start(job func(*chaindb.DB) event) {
	w.busy = true
	w.jobs <- job
}
func (w *writer) done() { w.busy = false }

func (e *engine) goWriter() {
	e.goWorker(func() {
		for {
			select {
			case job := <-e.writer.jobs:
				e.post(job(e.db))
			case <-e.ctx.Done():
				return
			}
		}
	})
}

// write has the writer do a job, and the engine what follows from it, unless it fails: that
// is never a peer's fault. then may be nil.
func (e *engine) write(job func(*chaindb.DB) error, then func()) {
	e.disk.writing()
	e.writer.start(func(db *chaindb.DB) event { return written{job(db), then} })
}

// written: a job of the writer is done.
type written struct {
	err  error
	then func()
}

func (ev written) apply(e *engine) {
	e.writer.done()
	switch {
	case ev.err != nil:
		e.fail(ev.err)
	case ev.then != nil:
		ev.then()
	}
}
