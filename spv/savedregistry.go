package spv

import (
	"bytes"
	"fmt"
	"time"

	"dcrspv/spv/chaindb"
	"dcrspv/spv/registry"
)

const (
	// registryEvery is how often the registry is saved.
	registryEvery = 30 * time.Second

	// RegistryBlob is the name in chain.db under which the registry is saved
	// (registry.Marshal).
	RegistryBlob = "registry"
)

// savedRegistry is what chain.db has of the registry.
type savedRegistry struct {
	saved time.Time
	data  []byte
}

// at notes that there is nothing to be saved at a time.
func (r *savedRegistry) at(now time.Time) { r.saved = now }

// next returns what saves the registry now, if that is due.
func (r *savedRegistry) next(from *registry.Registry, now time.Time) (save func(*chaindb.DB) error, due bool) {
	if now.Sub(r.saved) < registryEvery {
		return nil, false
	}
	r.saved = now
	data, err := from.Marshal(now)
	if err != nil {
		return func(*chaindb.DB) error { return err }, true
	}
	if bytes.Equal(data, r.data) {
		return nil, false
	}
	r.data = data
	return func(db *chaindb.DB) error { return db.PutBlob(RegistryBlob, data) }, true
}

// loadRegistry restores what was known about peers and adds those of the
// configuration.
func (e *engine) loadRegistry() error {
	data, err := e.db.Blob(RegistryBlob)
	if err != nil {
		return err
	}
	if data != nil {
		if err := e.registry.Unmarshal(data, e.now); err != nil {
			return fmt.Errorf("peers in %s: %w", ChainFile, err)
		}
	}
	for _, addr := range e.cfg.Connect {
		if err := e.registry.Add(addr, true, e.now); err != nil {
			return err
		}
	}
	e.saved.at(e.now)
	return nil
}

// saveRegistry is called when the writer has ended.
func (e *engine) saveRegistry() error {
	data, err := e.registry.Marshal(e.now)
	if err != nil {
		return err
	}
	return e.db.PutBlob(RegistryBlob, data)
}
