package spv

import "time"

// SetClock gives a Syncer another clock, before Run.
func (s *Syncer) SetClock(now func() time.Time) { s.now = now }

// RegistryBlob is for tests that write what is stored.
const RegistryBlob = registryBlob
