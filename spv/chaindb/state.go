package chaindb

import (
	"encoding/binary"
	"fmt"

	"dcrspv/spv/chain"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/math/uint256"
	"go.etcd.io/bbolt"
)

// FileVersion is the version of the layout described in the package comment. A file
// of a higher one is refused (ErrNewer).
const FileVersion = 1

var (
	metaBucket    = []byte("meta")
	headersBucket = []byte("headers")
	filtersBucket = []byte("filters")
	blobsBucket   = []byte("blobs")

	versionKey = []byte("version")
	networkKey = []byte("network")
	tipKey     = []byte("tip")
	workKey    = []byte("work")
	rangesKey  = []byte("filters")
)

// state is what bucket meta says about the other buckets. A state in memory is
// immutable: writers make a new one.
type state struct {
	tip     chain.BlockID
	work    uint256.Uint256
	filters chain.Ranges // heights whose filter is held
}

// put writes the state as part of the transaction that makes it true.
func (s *state) put(tx *bbolt.Tx) error {
	work := s.work.Bytes()
	var ranges []byte
	for _, r := range s.filters {
		ranges = binary.BigEndian.AppendUint32(ranges, r.From)
		ranges = binary.BigEndian.AppendUint32(ranges, r.To)
	}
	tip := binary.BigEndian.AppendUint32(nil, s.tip.Height)
	tip = append(tip, s.tip.Hash[:]...)

	meta := tx.Bucket(metaBucket)
	for _, kv := range [][2][]byte{{tipKey, tip}, {workKey, work[:]}, {rangesKey, ranges}} {
		if err := meta.Put(kv[0], kv[1]); err != nil {
			return err
		}
	}
	return nil
}

// readState reads the state, and checks it against itself.
func readState(tx *bbolt.Tx) (*state, error) {
	meta := tx.Bucket(metaBucket)
	for _, name := range [][]byte{metaBucket, headersBucket, filtersBucket, blobsBucket} {
		if tx.Bucket(name) == nil {
			return nil, fmt.Errorf("bucket %s is missing", name)
		}
	}
	tip, work, ranges := meta.Get(tipKey), meta.Get(workKey), meta.Get(rangesKey)
	if len(tip) != 4+chainhash.HashSize || len(work) != 32 || len(ranges)%8 != 0 {
		return nil, fmt.Errorf("bucket meta has records of %d, %d and %d bytes", len(tip), len(work), len(ranges))
	}
	s := new(state)
	s.tip.Height = binary.BigEndian.Uint32(tip)
	copy(s.tip.Hash[:], tip[4:])
	s.work.SetBytes((*[32]byte)(work))
	for next := uint64(0); len(ranges) > 0; ranges = ranges[8:] {
		r := chain.Range{From: binary.BigEndian.Uint32(ranges), To: binary.BigEndian.Uint32(ranges[4:])}
		if uint64(r.From) < next || r.To < r.From || r.To > s.tip.Height {
			return nil, fmt.Errorf("filters %d to %d of a chain that ends at %d", r.From, r.To, s.tip.Height)
		}
		s.filters = append(s.filters, r)
		next = uint64(r.To) + 2 // adjacent ranges would be one
	}
	return s, nil
}
