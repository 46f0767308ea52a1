package chaindb

import (
	"encoding/binary"
	"errors"
	"fmt"

	"dcrspv/spv/chain"
	"dcrspv/spv/dbfile"

	"github.com/decred/dcrd/blockchain/standalone/v2"
	"github.com/decred/dcrd/chaincfg/v3"
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
	file, err := dbfile.Open(path, dbfile.Options{MapBytes: mapBytes, GrowBytes: growBytes})
	if err != nil {
		return nil, wrap("opening", path, err)
	}
	db := &DB{path: path, rules: rules, file: file}
	if err := db.open(); err != nil {
		file.Close()
		return nil, wrap("opening", path, err)
	}
	return db, nil
}

// open takes the state of the file, and makes what belongs into a fresh one.
func (db *DB) open() error {
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
	if fresh {
		return db.create()
	}
	return nil
}

// check checks that the file is one of ours: all of it is there, its version,
// its network and that its ends are what it says they are; and takes its state.
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
		return corrupt(db.path, "impossible version %d", v)
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
	genesis, err := db.header(tx, 0)
	if err != nil || genesis.Hash() != params.GenesisHash {
		return corrupt(db.path, "does not start with the genesis block")
	}
	tip, err := db.header(tx, s.tip.Height)
	if err != nil || tip.Hash() != s.tip.Hash {
		return corrupt(db.path, "does not end with block %v", s.tip)
	}
	db.state.Store(s)
	return nil
}

// create writes the genesis block into a fresh file.
func (db *DB) create() error {
	params := db.rules.Params()
	genesis, id := db.rules.Genesis()
	filter, err := genesisFilter(params)
	if err != nil {
		return err
	}
	s := &state{tip: id, work: *workOf(&genesis), filters: chain.Ranges{{From: 0, To: 0}}}
	err = db.file.Update(func(tx *bbolt.Tx) error {
		for _, name := range [][]byte{metaBucket, headersBucket, filtersBucket, blobsBucket} {
			if _, err := tx.CreateBucket(name); err != nil {
				return err
			}
		}
		r := records{filter}
		return errors.Join(
			tx.Bucket(metaBucket).Put(versionKey, binary.BigEndian.AppendUint32(nil, FileVersion)),
			tx.Bucket(metaBucket).Put(networkKey, binary.BigEndian.AppendUint32(nil, uint32(params.Net))),
			tx.Bucket(headersBucket).Put(segmentKey(0), genesis[:]),
			tx.Bucket(filtersBucket).Put(segmentKey(0), r.value()),
			s.put(tx),
		)
	})
	if err == nil {
		db.state.Store(s)
	}
	return err
}

// genesisFilter returns the filter of the genesis block. Never nil.
func genesisFilter(params *chaincfg.Params) ([]byte, error) {
	filter, err := blockcf2.Regular(params.GenesisBlock, noPrevScripts{})
	if err != nil {
		return nil, fmt.Errorf("filter of the genesis block: %w", err)
	}
	return append([]byte{}, filter.Bytes()...), nil
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
