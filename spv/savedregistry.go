package spv

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"time"

	"dcrspv/spv/internal/chaindb"
	"dcrspv/spv/internal/registry"
)

const (
	// registryEvery is how often the registry is saved.
	registryEvery = 30 * time.Second

	// registryBlob is the name in chain.db under which the registry is saved
	// (registry.Marshal).
	registryBlob = "registry"
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
	return func(db *chaindb.DB) error { return db.PutBlob(registryBlob, data) }, true
}

// loadRegistry restores what was known about peers and adds those that were chosen.
func (e *engine) loadRegistry() error {
	if err := readRegistry(e.db, e.registry, e.now); err != nil {
		return err
	}
	e.saved.at(e.now)
	return e.chosen.tell(e.registry, e.cfg.MaxPeers, e.now)
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
