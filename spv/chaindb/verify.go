package chaindb

import (
	"dcrspv/spv/chain"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/crypto/blake256"
	"github.com/decred/dcrd/math/uint256"
	"go.etcd.io/bbolt"
)

// Report says what Verify has checked.
type Report struct {
	Tip     chain.BlockID
	Headers uint32 // all of them: genesis to Tip
	Filters uint32 // held
	// Of the filters, those that match the commitment in their header. The
	// others are older than DCP0005.
	Committed uint32
	// The set of filters from before DCP0005 is complete and has the known hash.
	FilterSet bool
}

// Verify reads the whole file again and checks it as if it came from a stranger:
// every header's link, height and proof of work, the work of the chain, every
// filter that a header commits to, the hash of the set of older filters if it is
// complete, and that nothing is missing that should be held. The rules that need
// context (difficulty, ticket price, times) were checked before the headers were
// stored; what is stored hangs together by its hashes.
//
// progress, if not nil, is called now and then with the number of blocks done and
// of all. The error, an ErrCorrupt, names the height of the first fault; the
// Report counts what was checked before it.
func (db *DB) Verify(progress func(done, total uint32)) (Report, error) {
	if progress == nil {
		progress = func(uint32, uint32) {}
	}
	first, last, hash, ok := db.rules.FilterSetHash()
	return db.verify(filterSet{chain.Range{From: first, To: last}, hash, ok}, progress)
}

// filterSet is the set of filters that no header commits to, and its known hash;
// !ok if there is none.
type filterSet struct {
	heights chain.Range
	hash    chainhash.Hash
	ok      bool
}

// verify is Verify for a given set of older filters.
func (db *DB) verify(set filterSet, progress func(done, total uint32)) (Report, error) {
	v := verifier{db: db, set: set, setHash: blake256.NewHasher256()}
	foreign := false
	err := db.view(&foreign, func(tx *bbolt.Tx) error {
		s, err := db.readState(tx)
		if err != nil {
			return err
		}
		v.tx, v.state = tx, s
		last, _ := segmentOf(s.tip.Height)
		err = eachSegment(tx, 0, last, func(segment uint32) (bool, error) {
			if err := v.segment(segment); err != nil {
				return false, err
			}
			foreign = true
			progress(v.report.Headers, s.tip.Height+1)
			foreign = false
			return true, nil
		})
		if err != nil {
			return err
		}
		return v.finish(last)
	})
	return v.report, err
}

// verifier is the state of one Verify.
type verifier struct {
	db     *DB
	tx     *bbolt.Tx
	state  *state
	report Report

	work    uint256.Uint256
	set     filterSet
	setHash *blake256.Hasher256 // of the filters that no header commits to, so far
}

// corrupt makes the error of a fault.
func (v *verifier) corrupt(format string, args ...any) error {
	return corrupt(v.db.path, format, args...)
}

// segment checks the headers and the filters of one segment.
func (v *verifier) segment(segment uint32) error {
	value, count, err := v.db.headerSegment(v.tx, segment)
	if err != nil {
		return err
	}
	start := segment * segmentBlocks
	due := int(min(segmentBlocks, v.state.tip.Height+1-start))
	if count != due {
		return v.corrupt("%d headers from %d on, not %d", count, start, due)
	}
	headers := make([]chain.Header, count)
	for i := range headers {
		headers[i] = *headerAt(value, i)
	}
	var filters records
	if err := v.db.filterSegment(v.tx, segment, &filters); err != nil {
		return err
	}
	if err := v.headers(start, headers); err != nil {
		return err
	}
	for i, filter := range filters {
		height := start + uint32(i)
		if held := v.state.filters.Contains(height); held != (filter != nil) {
			return v.corrupt("filter %d: held is %v, should be %v", height, filter != nil, held)
		}
		if filter == nil {
			continue
		}
		if err := v.filter(&headers[i], filter); err != nil {
			return v.corrupt("filter %d: %v", height, err)
		}
	}
	return nil
}

// headers checks the headers from height start on, and counts them.
func (v *verifier) headers(start uint32, headers []chain.Header) error {
	if start == 0 {
		genesis, id := v.db.rules.Genesis()
		if headers[0] != genesis {
			return v.corrupt("header 0 is not that of the genesis block")
		}
		v.count(&genesis, id.Hash)
		start, headers = 1, headers[1:]
	}
	if len(headers) == 0 {
		return nil
	}
	// The headers of a batch are checked against each other; the first is not.
	if h := headers[0].Height(); h != start {
		return v.corrupt("header %d has height %d", start, h)
	}
	if prev := headers[0].PrevBlock(); prev != v.report.Tip.Hash {
		return v.corrupt("header %d does not link to the one before", start)
	}
	batch, err := v.db.rules.Check(headers)
	for i := range batch.Headers {
		v.count(&batch.Headers[i], batch.Hashes[i])
	}
	if err != nil {
		return v.corrupt("header %d: %v", v.report.Headers, err)
	}
	return nil
}

// count takes a header that has been checked.
func (v *verifier) count(h *chain.Header, hash chainhash.Hash) {
	v.report.Tip = chain.BlockID{Height: h.Height(), Hash: hash}
	v.report.Headers++
	v.work.Add(workOf(h))
}

// filter checks and counts a filter.
func (v *verifier) filter(h *chain.Header, filter []byte) error {
	if err := v.db.rules.CheckFilter(h, filter); err != nil {
		return err
	}
	v.report.Filters++
	if v.db.rules.CommitmentsAt(h.Height()) {
		v.report.Committed++
	} else {
		v.setHash.WriteBytes(filter)
	}
	return nil
}

// finish checks what can be said at the end of the chain.
func (v *verifier) finish(last uint32) error {
	if v.report.Tip != v.state.tip {
		return v.corrupt("the chain ends at block %v, not at %v", v.report.Tip, v.state.tip)
	}
	if v.work != v.state.work {
		return v.corrupt("the work up to block %d is %v, not %v", v.report.Tip.Height, v.work, v.state.work)
	}
	for _, name := range [][]byte{headersBucket, filtersBucket} {
		if key, _ := v.tx.Bucket(name).Cursor().Seek(segmentKey(last + 1)); key != nil {
			return v.corrupt("there are %s above the tip %d", name, v.report.Tip.Height)
		}
	}
	if !v.set.ok || !v.state.filters.Covers(v.set.heights) {
		return nil
	}
	if got := chainhash.Hash(v.setHash.Sum256()); got != v.set.hash {
		return v.corrupt("the filters %d to %d hash to %v, not to %v",
			v.set.heights.From, v.set.heights.To, got, v.set.hash)
	}
	v.report.FilterSet = true
	return nil
}
