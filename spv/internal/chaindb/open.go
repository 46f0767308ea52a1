package chaindb

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"dcrspv/internal/dbfile"
	"dcrspv/spv/chain"

	"github.com/decred/dcrd/blockchain/standalone/v2"
	"github.com/decred/dcrd/gcs/v4/blockcf2"
	"github.com/decred/dcrd/math/uint256"
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
	db := &DB{path: path, rules: rules, file: file}
	if err := db.open(readSeal(path)); err != nil {
		file.Close()
		return nil, wrap("opening", path, err)
	}
	return db, nil
}

// open takes the state of the file, and makes what belongs into a fresh one.
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
		db.own.Store(left != nil && left.ID == hex.EncodeToString(db.id))
		db.trusted.Store(db.own.Load() && left.unbroken(db.file.OS(), db.file.Committed()))
		return nil
	}
	db.own.Store(true)
	if err := db.create(); err != nil {
		return err
	}
	return db.trust()
}

// check checks that the file is one of ours, its version and its network, and takes its
// state. What is wrong with the headers and filters is found when they are read.
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
	if db.id, err = get(tx, metaBucket, idKey); err != nil || len(db.id) != fileIDSize {
		return corrupt(db.path, "it has lost its name")
	}
	db.id = bytes.Clone(db.id)
	db.state.Store(s)
	return nil
}

// create writes the genesis block into a fresh file.
func (db *DB) create() error {
	params := db.rules.Params()
	genesis, filter := genesisOf(db.rules)
	s := &state{tip: genesis.ID(), work: *workOf(&genesis), filters: chain.Ranges{{From: 0, To: 0}}}
	db.id = make([]byte, fileIDSize)
	rand.Read(db.id) // never fails
	err := db.file.Update(func(tx *bbolt.Tx) error {
		for _, name := range [][]byte{metaBucket, headersBucket, filtersBucket, blobsBucket} {
			if _, err := tx.CreateBucket(name); err != nil {
				return err
			}
		}
		// What tells what the file is has no checksum: any version must find it.
		return errors.Join(
			tx.Bucket(metaBucket).Put(versionKey, binary.BigEndian.AppendUint32(nil, FileVersion)),
			tx.Bucket(metaBucket).Put(networkKey, binary.BigEndian.AppendUint32(nil, uint32(params.Net))),
			put(tx, metaBucket, idKey, slices.Clip(db.id)),
			putGenesis(tx, &genesis, filter),
			s.put(tx),
		)
	})
	if err == nil {
		db.state.Store(s)
	}
	return err
}

// putGenesis stores the genesis block as all there is of the lowest segment.
func putGenesis(tx *bbolt.Tx, genesis *chain.Header, filter []byte) error {
	r := records{filter}
	return errors.Join(
		put(tx, headersBucket, segmentKey(0), bytes.Clone(genesis[:])),
		put(tx, filtersBucket, segmentKey(0), r.value()),
	)
}

// genesisOf returns the header and the filter of the genesis block, which is made from
// the block itself. Neither is nil.
func genesisOf(rules *chain.Rules) (chain.Header, []byte) {
	genesis, _ := rules.Genesis()
	filter, err := blockcf2.Regular(rules.Params().GenesisBlock, noPrevScripts{})
	if err != nil {
		panic(fmt.Sprintf("filter of the genesis block: %v", err)) // the parameters are part of the program
	}
	return genesis, append([]byte{}, filter.Bytes()...)
}

// noPrevScripts are the scripts that the genesis block spends: it has no inputs
// but the coinbase's.
type noPrevScripts struct{}

// PrevScript satisfies blockcf2.PrevScripter.
func (noPrevScripts) PrevScript(*wire.OutPoint) (uint16, []byte, bool) { return 0, nil, false }

// workOf returns the work that a block adds to its chain.
func workOf(h *chain.Header) *uint256.Uint256 {
	return new(uint256.Uint256).SetBig(standalone.CalcWork(h.Bits()))
}
