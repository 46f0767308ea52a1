package chaindb

import (
	"encoding/binary"
	"errors"
	"hash/crc32"

	"go.etcd.io/bbolt"
)

// checksumSize is the size of the CRC-32C at the end of every value, over the name of its
// bucket, its key and itself: a value that has moved is as wrong as one that has changed.
// Processors have an instruction for CRC-32C: it costs 10 ns a filter, while the hash
// that the header commits to takes a microsecond.
const checksumSize = crc32.Size

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// errChecksum: a value is not the one that was written there.
var errChecksum = errors.New("the checksum is wrong")

func checksum(bucket, key, value []byte) uint32 {
	sum := crc32.Update(0, castagnoli, bucket)
	sum = crc32.Update(sum, castagnoli, key)
	return crc32.Update(sum, castagnoli, value)
}

// put stores a value with its checksum. It may use the spare capacity of value.
func put(tx *bbolt.Tx, bucket, key, value []byte) error {
	sum := checksum(bucket, key, value)
	return tx.Bucket(bucket).Put(key, binary.BigEndian.AppendUint32(value, sum))
}

// get returns a value, pointing into the mapping; nil if there is none.
func get(tx *bbolt.Tx, bucket, key []byte) ([]byte, error) {
	stored := tx.Bucket(bucket).Get(key)
	if stored == nil {
		return nil, nil
	}
	n := len(stored) - checksumSize
	if n < 0 || binary.BigEndian.Uint32(stored[n:]) != checksum(bucket, key, stored[:n]) {
		return nil, errChecksum
	}
	return stored[:n:n], nil
}

// valueMemory is memory for the values of one write transaction after the other: a first
// sync writes as many bytes as the file has. bbolt refers to a value until the transaction
// ends, and no longer.
type valueMemory struct{ block []byte }

// blockSize is how much of it is made at a time. The values of 8,000 headers, the most that
// the first sync writes at a time, have 1.4 MB.
const blockSize = 2 << 20

// take returns empty memory with room for size bytes.
func (m *valueMemory) take(size int) []byte {
	if cap(m.block)-len(m.block) < size {
		m.block = make([]byte, 0, max(size, blockSize)) // values refer to the old one
	}
	start := len(m.block)
	m.block = m.block[:start+size]
	return m.block[start : start : start+size]
}

// reuse gives the memory of a transaction that is over to the next.
func (m *valueMemory) reuse() { m.block = m.block[:0] }
