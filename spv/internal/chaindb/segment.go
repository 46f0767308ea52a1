package chaindb

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"

	"dcrspv/spv/chain"

	"go.etcd.io/bbolt"
)

// segmentBlocks is the number of blocks in a segment, the unit of storage.
//
// Large segments make the file compact and reading sequential; small ones make
// adding a single block cheap, since bbolt rewrites whole values, up to four at a
// time. At 250 that is at most 180 KB of headers and about as much of filters. A full
// bbolt leaf holds two segments of headers, and these fill 22 pages almost exactly.
const segmentBlocks = 250

// segmentOf returns the segment of a height and the height's index in it.
func segmentOf(height uint32) (segment uint32, index int) {
	return height / segmentBlocks, int(height % segmentBlocks)
}

// segmentKey is the key of a segment in its bucket: big endian, so that keys
// sort by height.
func segmentKey(segment uint32) []byte {
	return binary.BigEndian.AppendUint32(nil, segment)
}

// headerCount returns the number of headers in a header segment.
func headerCount(value []byte) (int, error) {
	if len(value)%chain.HeaderSize != 0 || len(value) > segmentBlocks*chain.HeaderSize {
		return 0, fmt.Errorf("%d bytes are not a header segment", len(value))
	}
	return len(value) / chain.HeaderSize, nil
}

// headerAt returns the header of that index in a header segment, pointing into
// value.
func headerAt(value []byte, index int) *chain.Header {
	return (*chain.Header)(value[index*chain.HeaderSize:][:chain.HeaderSize])
}

// records are the filters of a segment by index; nil means not held, which is
// not the same as empty.
type records [segmentBlocks][]byte

// parse fills r from a filter segment: for each index the length plus one as
// uvarint, zero standing for a filter not held, then the bytes. Missing records
// at the end are not held. The records point into value.
func (r *records) parse(value []byte) error {
	clear(r[:])
	for i := 0; len(value) > 0; i++ {
		if i == segmentBlocks {
			return fmt.Errorf("filter segment has %d bytes too many", len(value))
		}
		size, n := binary.Uvarint(value)
		if n <= 0 || size > uint64(len(value)-n)+1 {
			return fmt.Errorf("filter segment: record %d does not fit", i)
		}
		value = value[n:]
		if size == 0 {
			continue
		}
		r[i] = value[: size-1 : size-1]
		value = value[size-1:]
	}
	return nil
}

// size is how many bytes r takes as a filter segment, at most, with a checksum.
func (r *records) size() int {
	size := checksumSize
	for _, f := range r {
		size += binary.MaxVarintLen32 + len(f)
	}
	return size
}

// append appends r as a filter segment; nothing if it holds no filter.
func (r *records) append(value []byte) []byte {
	last := -1
	for i, f := range r {
		if f != nil {
			last = i
		}
	}
	for _, f := range r[:last+1] {
		if f == nil {
			value = append(value, 0)
			continue
		}
		value = binary.AppendUvarint(value, uint64(len(f))+1)
		value = append(value, f...)
	}
	return value
}

// deleteSegments deletes the segments first to last, as far as they exist. If last is the
// highest number, all keys above first go. The keys are looked for one by one: the file
// may say anything about how many there are.
func deleteSegments(bucket *bbolt.Bucket, first, last uint32) error {
	next, end := segmentKey(first), segmentKey(last)
	for {
		key, _ := bucket.Cursor().Seek(next)
		if key == nil || last < math.MaxUint32 && bytes.Compare(key, end) > 0 {
			return nil
		}
		next = append(bytes.Clone(key), 0) // the lowest key above
		if err := bucket.Delete(key); err != nil {
			return err
		}
	}
}
