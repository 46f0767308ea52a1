package chaindb

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"strconv"
	"syscall"
	"time"

	"dcrspv/spv/chain"

	"github.com/decred/dcrd/blockchain/standalone/v2"
	"github.com/decred/dcrd/chaincfg/v3"
	"github.com/decred/dcrd/gcs/v4/blockcf2"
	"github.com/decred/dcrd/math/uint256"
	"github.com/decred/dcrd/wire"
	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

const (
	// lockTimeout is how long Open waits for another user of the file to close
	// it.
	lockTimeout = time.Second
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
	db := &DB{path: path, rules: rules}
	err := guard(path, nil, db.open)
	if err == nil {
		return db, nil
	}
	switch {
	case db.bolt != nil:
		db.bolt.Close()
	case db.file != nil:
		release(db.file) // already closed, unless bbolt panicked
	}
	return nil, wrap("opening", path, err)
}

// open opens the file, and makes what belongs into a fresh one.
func (db *DB) open() error {
	if err := db.openBolt(); err != nil {
		return err
	}
	fresh := false
	err := db.bolt.View(func(tx *bbolt.Tx) error {
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

// openBolt opens the file as a bbolt file.
func (db *DB) openBolt() error {
	options := &bbolt.Options{
		Timeout: lockTimeout,
		// The list of free pages is kept in the file, although it could be found
		// again: bbolt would search the whole file for it at every start, in a
		// goroutine whose panics over a damaged file nobody can catch.
		NoFreelistSync: false,
		FreelistType:   bbolt.FreelistMapType,
		OpenFile: func(name string, flag int, mode os.FileMode) (file *os.File, err error) {
			db.file, err = os.OpenFile(name, flag, mode)
			return db.file, err
		},
	}
	// On Windows the file itself would be made as large as the mapping.
	if strconv.IntSize == 64 && runtime.GOOS != "windows" {
		options.InitialMmapSize = mapBytes
	}
	bolt, err := bbolt.Open(db.path, 0o600, options)
	var pathErr *fs.PathError
	var errno syscall.Errno
	switch {
	case err == nil:
	case errors.Is(err, bolterrors.ErrTimeout):
		return fmt.Errorf("%w: %s: stop the other program that has it open, or use another data directory",
			ErrInUse, db.path)
	case errors.As(err, &pathErr), errors.As(err, &errno):
		return err
	default:
		return corrupt(db.path, "%v", err)
	}
	db.bolt = bolt
	bolt.AllocSize = growBytes
	return nil
}

// check checks that the file is one of ours: all of it is there, its version,
// its network and that its ends are what it says they are; and takes its state.
func (db *DB) check(tx *bbolt.Tx) error {
	info, err := db.file.Stat()
	if err != nil {
		return err
	}
	if info.Size() < tx.Size() {
		return corrupt(db.path, "cut off, %d bytes of %d are left", info.Size(), tx.Size())
	}
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
	err = db.bolt.Update(func(tx *bbolt.Tx) error {
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
