package spv

import "dcrspv/spv/internal/chaindb"

// writer is the writing side: one goroutine does every write to chain.db, one
// at a time, in the order in which the engine decides them.
type writer struct {
	jobs chan func(*chaindb.DB) event // never full: busy tells
	busy bool
}

func newWriter() writer { return writer{jobs: make(chan func(*chaindb.DB) event, 1)} }

// start gives the writer a job.
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

// write starts a job. The event that it returns must call writeDone.
func (e *engine) write(job func(*chaindb.DB) event) {
	e.disk.writing()
	e.writer.start(job)
}

// writeDone takes note of the end of a job and of its error, which is never a
// peer's fault.
func (e *engine) writeDone(err error) bool {
	e.writer.done()
	if err != nil {
		e.fail(err)
	}
	return err == nil
}

// written: a job is done from which nothing follows.
type written struct{ err error }

func (ev written) apply(e *engine) { e.writeDone(ev.err) }
