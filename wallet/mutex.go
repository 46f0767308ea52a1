package wallet

import "context"

// mutex is a sync.Mutex for which a caller can wait as long as its context lasts: who
// holds it may go through the whole wallet. make(mutex, 1) is unlocked.
type mutex chan struct{}

func (m mutex) Lock() { m <- struct{}{} }

func (m mutex) Unlock() { <-m }

// lockFor locks unless the context ends before it can.
func (m mutex) lockFor(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case m <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
