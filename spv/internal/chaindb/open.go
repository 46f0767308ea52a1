package chaindb

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"dcrspv/internal/dbfile"
	"dcrspv/spv/chain"

	"github.com/decred/dcrd/wire"
	"go.etcd.io/bbolt"
)

const (
	// growBytes is how much larger than needed a growing file is made, so that
	// not every write must extend it.
	growBytes = 128 << 10
	// mapBytes is the size of the memory mapping, which costs address space
	// only. While the file fits, a write never waits for reads: bbolt makes a new
	// mapping only when the file has outgrown the old one.
	mapBytes = 1 << 30
)

// Open opens the chain file at path for the network of rules, alone. A file that
// does not exist, or is empty, is made, with the genesis block's header and
// filter in it; its directory must exist.
//
// Errors: ErrInUse (after a second), ErrNetwork, ErrNewer, ErrCorrupt, or that
// of the operating system. The file is unchanged then.
func Open(path string, rules *chain.Rules) (*DB, error) {
	if abs, err := filepath.Abs(path); err == nil { // for the seal: the program may change its directory
		path = abs
	}
	file, err := dbfile.Open(path, dbfile.Options{
		MapBytes: mapBytes, GrowBytes: growBytes,
		Unchanged: func(file *os.File, head dbfile.Head) bool { return readSeal(path).unbroken(file, head.Tx) },
	})
	if err != nil {
		return nil, wrap("opening", path, err)
	}
	db := &DB{path: path, rules: rules, file: file, origin: origin{path: path}}
	if err := db.open(readSeal(path)); err != nil {
		file.Close()
		return nil, wrap("opening", path, err)
	}
	return db, nil
}

// OpenMemory makes a chain file in memory (see package dbfile) that is gone when it is
// closed. Otherwise it is as one of Open.
func OpenMemory(rules *chain.Rules) (*DB, error) {
	const path = "the chain in memory" // in errors
	file, err := dbfile.OpenMemory(dbfile.Options{MapBytes: mapBytes, GrowBytes: growBytes})
	if err != nil {
		return nil, wrap("making", path, err)
	}
	db := &DB{path: path, rules: rules, file: file}
	if err := db.open(nil); err != nil {
		file.Close()
		return nil, wrap("making", path, err)
	}
	return db, nil
}

// open takes the state of the file, or creates it in a new one.
func (db *DB) open(left *seal) error {
	fresh := false
	err := db.file.View(func(tx *bbolt.Tx) error {
		if first, _ := tx.Cursor().First(); first == nil {
			fresh = true
			return nil
		}
		return db.check(tx)
	})
	if err != nil {
		return err
	}
	if !fresh {
		db.origin.recall(left, db.file)
		return nil
	}
	db.origin.own.Store(true)
	if err := db.create(); err != nil {
		return err
	}
	return db.trust()
}

// check checks that the file is a chain file, its version and its network, and takes its
// state. Damaged headers and filters are found when they are read.
func (db *DB) check(tx *bbolt.Tx) error {
	meta := tx.Bucket(metaBucket)
	if meta == nil {
		return corrupt(db.path, "not a chain file")
	}
	version, network := meta.Get(versionKey), meta.Get(networkKey)
	if len(version) != 4 || len(network) != 4 {
		return corrupt(db.path, "not a chain file")
	}
	if v := binary.BigEndian.Uint32(version); v > FileVersion {
		return fmt.Errorf("%w: %s has version %d, this program knows version %d: update the program, or use another data directory",
			ErrNewer, db.path, v, FileVersion)
	} else if v < FileVersion {
		return fmt.Errorf("%w: %s has version %d, this program writes version %d: delete it, it is a cache and is downloaded again",
			ErrOlder, db.path, v, FileVersion)
	}
	params := db.rules.Params()
	if net := wire.CurrencyNet(binary.BigEndian.Uint32(network)); net != params.Net {
		return fmt.Errorf("%w: %s is for %v, not for %v: use another data directory",
			ErrNetwork, db.path, net, params.Net)
	}
	s, err := db.readState(tx)
	if err != nil {
		return err
	}
	id, err := get(tx, metaBucket, idKey)
	if err != nil || len(id) != fileIDSize {
		return corrupt(db.path, "it has lost its name")
	}
	db.origin.setID(bytes.Clone(id))
	db.state.Store(s)
	return nil
}

// create writes the genesis block into a fresh file.
func (db *DB) create() error {
	params := db.rules.Params()
	genesis, filter := genesisOf(db.rules)
	s := &state{tip: genesis.ID(), work: chain.Work(genesis.Bits()), filters: chain.Ranges{{From: 0, To: 0}}}
	id := make([]byte, fileIDSize)
	rand.Read(id) // never fails
	db.origin.setID(id)
	err := db.file.Update(func(tx *bbolt.Tx) error {
		for _, name := range [][]byte{metaBucket, headersBucket, filtersBucket, blobsBucket} {
			if _, err := tx.CreateBucket(name); err != nil {
				return err
			}
		}
		// Version and network have no checksum: all versions have to find them.
		return errors.Join(
			tx.Bucket(metaBucket).Put(versionKey, binary.BigEndian.AppendUint32(nil, FileVersion)),
			tx.Bucket(metaBucket).Put(networkKey, binary.BigEndian.AppendUint32(nil, uint32(params.Net))),
			put(tx, metaBucket, idKey, slices.Clip(id)),
			putGenesis(tx, &genesis, filter),
			s.put(tx),
		)
	})
	if err == nil {
		db.state.Store(s)
	}
	return err
}
