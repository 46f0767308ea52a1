package spv

import (
	"context"
	"time"
)

// SetClock gives a Syncer another clock, before Run.
func (s *Syncer) SetClock(now func() time.Time) { s.now = now }

// RegistryBlob is for tests that write what is stored.
const RegistryBlob = registryBlob

// Fetching is how many calls of Fetch wait.
func (s *Syncer) Fetching() (n int) {
	_ = s.do(context.Background(), func(e *engine) { n = len(e.fetches.waiting) })
	return n
}

// Needed is how many blocks somebody needs, here or on their way.
func (s *Syncer) Needed() (n int) {
	_ = s.do(context.Background(), func(e *engine) { n = len(e.blocks.blocks) })
	return n
}

// CommonSpan is the part that all spans have.
func CommonSpan(spans ...Span) Span {
	var all commonSpan
	for _, s := range spans {
		all.add(s)
	}
	return all.Span
}
