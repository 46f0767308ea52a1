package dcrwallet

import (
	"context"
	"errors"
	"sync"

	"dcrspv/spv"
	"dcrspv/spv/chain"
)

// Stage is what a Backend is busy with.
type Stage string

// The stages of a wallet, in order.
const (
	Chain     Stage = "chain"     // the wallet is given headers and filters
	Discovery Stage = "discovery" // accounts and addresses in use are searched for
	Rescan    Stage = "rescan"    // the wallet's transactions are searched for
	Following Stage = "following" // each block comes with its transactions
)

// Status is how far a wallet is.
type Status struct {
	Stage   Stage
	Tip     chain.BlockID // of the wallet
	Through uint32        // Discovery, Rescan: the last block that is done
}

// shows reports whether the wallet shows what the block tip says.
func (s Status) shows(tip chain.BlockID) bool { return s.Stage == Following && s.Tip == tip }

// state is the status, and wakes who waits for another one.
type state struct {
	mu      sync.Mutex // held for moments only
	now     Status
	changed chan struct{} // closed and replaced when the status changes
}

func (s *state) init(tip chain.BlockID) {
	s.now = Status{Stage: Chain, Tip: tip}
	s.changed = make(chan struct{})
}

// set replaces the status.
func (s *state) set(now Status) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now != s.now {
		s.now = now
		close(s.changed)
		s.changed = make(chan struct{})
	}
}

// get returns the status, and what is closed when it is another one.
func (s *state) get() (now Status, changed <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now, s.changed
}

// Status returns how far the wallet is.
func (b *Backend) Status() Status {
	now, _ := b.state.get()
	return now
}

// Wait returns nil once the Syncer is in sync and the wallet shows what its tip says; the
// error of ctx if that ends first; ErrEnded or spv.ErrNotRunning if one of them ends.
func (b *Backend) Wait(ctx context.Context) error {
	running, cancel := b.WrapContext(ctx)
	defer cancel()
	for {
		now, changed := b.state.get()
		if err := b.s.Wait(running, spv.Synced); err != nil {
			if b.life.Err() != nil && ctx.Err() == nil && errors.Is(err, context.Canceled) {
				return ErrEnded
			}
			return err
		}
		if now.shows(b.s.Tip()) {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		case <-b.life.Done():
			return ErrEnded
		}
	}
}
