package chaindb

import (
	"encoding/binary"
	"errors"
	"fmt"

	"dcrspv/spv/chain"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/math/uint256"
	"go.etcd.io/bbolt"
)

// FileVersion is the version of the layout described in the package comment. A file
// of a higher one is refused (ErrNewer), and so is one of a lower one (ErrOlder).
const FileVersion = 2

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
	severedKey = []byte("severed")
	idKey      = []byte("id")
)

// state is what bucket meta says about the other buckets. A state in memory is
// immutable: writers make a new one.
type state struct {
	tip     chain.BlockID
	work    uint256.Uint256
	filters chain.Ranges // heights whose filter is held
	severed *severed     // nil as a rule
}

// put writes the state as part of the transaction that makes it true.
func (s *state) put(tx *bbolt.Tx) error {
	work := s.work.Bytes()
	err := errors.Join(
		put(tx, metaBucket, tipKey, appendID(nil, s.tip)),
		put(tx, metaBucket, workKey, work[:]),
		put(tx, metaBucket, rangesKey, appendRanges(nil, s.filters)),
	)
	if s.severed == nil {
		return errors.Join(err, tx.Bucket(metaBucket).Delete(severedKey))
	}
	return errors.Join(err, put(tx, metaBucket, severedKey, s.severed.encode()))
}

func (s *severed) encode() []byte {
	work := s.work.Bytes()
	b := binary.BigEndian.AppendUint32(nil, s.from)
	b = append(appendID(b, s.tip), work[:]...)
	if s.trusted {
		return appendRanges(append(b, 1), s.filters)
	}
	return appendRanges(append(b, 0), s.filters)
}

func decodeSevered(b []byte) (s *severed, err error) {
	const fixed = 4 + idSize + 32 + 1
	if len(b) < fixed {
		return nil, fmt.Errorf("what was set aside has %d bytes", len(b))
	}
	s = &severed{from: binary.BigEndian.Uint32(b), tip: decodeID(b[4:]), trusted: b[fixed-1] == 1}
	s.work.SetBytes((*[32]byte)(b[4+idSize:]))
	s.filters, err = decodeRanges(b[fixed:], s.tip.Height)
	if err == nil && (s.from > s.tip.Height || s.tip.Height > maxHeight) {
		err = fmt.Errorf("what was set aside begins at %d and ends at %d", s.from, s.tip.Height)
	}
	return s, err
}

// maxHeight bounds the heights that are believed: with more the arithmetic of segments
// would overflow. There is a block every five minutes.
const maxHeight = 1<<31 - 1

const idSize = 4 + chainhash.HashSize // of a BlockID: its height, its hash

func appendID(b []byte, id chain.BlockID) []byte {
	return append(binary.BigEndian.AppendUint32(b, id.Height), id.Hash[:]...)
}

func decodeID(b []byte) (id chain.BlockID) {
	id.Height = binary.BigEndian.Uint32(b)
	copy(id.Hash[:], b[4:])
	return id
}

func appendRanges(b []byte, ranges chain.Ranges) []byte {
	for _, r := range ranges {
		b = binary.BigEndian.AppendUint32(b, r.From)
		b = binary.BigEndian.AppendUint32(b, r.To)
	}
	return b
}

// decodeRanges reads heights of filters of a chain up to a tip.
func decodeRanges(b []byte, tip uint32) (ranges chain.Ranges, err error) {
	if len(b)%8 != 0 {
		return nil, fmt.Errorf("%d bytes are no ranges", len(b))
	}
	for next := uint64(0); len(b) > 0; b = b[8:] {
		r := chain.Range{From: binary.BigEndian.Uint32(b), To: binary.BigEndian.Uint32(b[4:])}
		if uint64(r.From) < next || r.To < r.From || r.To > tip {
			return nil, fmt.Errorf("filters %d to %d of a chain that ends at %d", r.From, r.To, tip)
		}
		ranges = append(ranges, r)
		next = uint64(r.To) + 2 // adjacent ranges would be one
	}
	return ranges, nil
}

// readState reads the state, and checks it against itself.
func readState(tx *bbolt.Tx) (*state, error) {
	for _, name := range [][]byte{metaBucket, headersBucket, filtersBucket, blobsBucket} {
		if tx.Bucket(name) == nil {
			return nil, fmt.Errorf("bucket %s is missing", name)
		}
	}
	values := make(map[string][]byte)
	for _, key := range [][]byte{tipKey, workKey, rangesKey, severedKey} {
		value, err := get(tx, metaBucket, key)
		if err != nil {
			return nil, fmt.Errorf("meta record %q: %w", key, err)
		}
		values[string(key)] = value
	}
	tip, work := values[string(tipKey)], values[string(workKey)]
	if len(tip) != idSize || len(work) != 32 {
		return nil, fmt.Errorf("bucket meta has records of %d and %d bytes", len(tip), len(work))
	}
	s := &state{tip: decodeID(tip)}
	if s.tip.Height > maxHeight {
		return nil, fmt.Errorf("the tip is %d", s.tip.Height)
	}
	s.work.SetBytes((*[32]byte)(work))
	var err error
	if s.filters, err = decodeRanges(values[string(rangesKey)], s.tip.Height); err != nil {
		return nil, err
	}
	if aside := values[string(severedKey)]; aside != nil {
		s.severed, err = decodeSevered(aside)
		if err == nil && s.severed.from <= s.tip.Height {
			err = fmt.Errorf("what was set aside begins at %d, the tip is %d", s.severed.from, s.tip.Height)
		}
	}
	return s, err
}
