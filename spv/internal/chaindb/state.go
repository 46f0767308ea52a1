package chaindb

import (
	"errors"
	"fmt"

	"dcrspv/spv/chain"

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

	versionKey  = []byte("version")
	networkKey  = []byte("network")
	tipKey      = []byte("tip")
	workKey     = []byte("work")
	rangesKey   = []byte("filters")
	detachedKey = []byte("severed")
	idKey       = []byte("id")
)

// state is what bucket meta says about the other buckets. The state of a DB is never
// changed: a write transaction makes a copy, and changes that.
type state struct {
	tip      chain.BlockID
	work     uint256.Uint256
	filters  chain.Ranges // heights whose filter is held
	detached *detached    // nil as a rule
}

// setTip sets the last block and the work of the chain.
func (s *state) setTip(tip chain.BlockID, work uint256.Uint256) { s.tip, s.work = tip, work }

// setFilters sets which filters are held.
func (s *state) setFilters(held chain.Ranges) { s.filters = held }

// setDetached sets what is stored above damaged headers, or that there is nothing.
func (s *state) setDetached(d *detached) { s.detached = d }

// attach makes the detached part the upper part of the chain.
func (s *state) attach() {
	d := s.detached
	s.tip, s.work, s.detached = d.tip, d.work, nil
	for _, held := range d.filters {
		s.filters = s.filters.Add(held)
	}
}

// put writes the state as part of the transaction that makes it true.
func (s *state) put(tx *bbolt.Tx) error {
	work := s.work.Bytes()
	err := errors.Join(
		put(tx, metaBucket, tipKey, appendID(nil, s.tip)),
		put(tx, metaBucket, workKey, work[:]),
		put(tx, metaBucket, rangesKey, appendRanges(nil, s.filters)),
	)
	if s.detached == nil {
		return errors.Join(err, tx.Bucket(metaBucket).Delete(detachedKey))
	}
	return errors.Join(err, put(tx, metaBucket, detachedKey, s.detached.encode()))
}

// readState reads the state, and checks it against itself.
func readState(tx *bbolt.Tx) (*state, error) {
	for _, name := range [][]byte{metaBucket, headersBucket, filtersBucket, blobsBucket} {
		if tx.Bucket(name) == nil {
			return nil, fmt.Errorf("bucket %s is missing", name)
		}
	}
	values := make(map[string][]byte)
	for _, key := range [][]byte{tipKey, workKey, rangesKey, detachedKey} {
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
	if aside := values[string(detachedKey)]; aside != nil {
		s.detached, err = decodeDetached(aside)
		if err == nil && s.detached.from <= s.tip.Height {
			err = fmt.Errorf("what was set aside begins at %d, the tip is %d", s.detached.from, s.tip.Height)
		}
	}
	return s, err
}
