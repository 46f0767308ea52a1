package spv

import (
	"context"
	"errors"
)

// exclusive runs do while neither Run nor another such call uses chain.db.
func (s *Syncer) exclusive(ctx context.Context, do func() error) error {
	select {
	case <-s.idle:
	case <-s.begun:
		return ErrRunning
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { s.idle <- struct{}{} }()
	if s.started.Load() {
		return ErrRunning
	}
	return do()
}

// change runs fn where what belongs to the Syncer may be changed: on the engine's
// goroutine, or with no engine while nothing runs.
func (s *Syncer) change(ctx context.Context, fn func(*engine) error) (err error) {
	if !s.started.Load() {
		err = s.exclusive(ctx, func() error { return fn(nil) })
		if !errors.Is(err, ErrRunning) { // else Run began while it waited
			return err
		}
	}
	if over := s.do(ctx, func(e *engine) { err = fn(e) }); over != nil {
		return over
	}
	return err
}

// offline is exclusive for what reads chain.db or changes it. A file that is not
// trusted is verified before, and what is damaged in it is dropped, as in Run. The
// status is the one of the file then.
func (s *Syncer) offline(ctx context.Context, do func() error) error {
	return s.exclusive(ctx, func() error {
		if err := mend(ctx, s.db, s.cfg.Log("SYNC"), s.checking, do); err != nil {
			return err
		}
		st, err := s.storedStatus()
		if err == nil {
			s.board.show(st)
		}
		return err
	})
}

// Check makes sure, before Run, that Status tells what chain.db holds: a file from
// elsewhere is verified, and what is damaged in it is dropped. Run does that by itself.
// Meanwhile Status and Watch tell how far it is.
func (s *Syncer) Check(ctx context.Context) error {
	return s.offline(ctx, func() error { return nil })
}
