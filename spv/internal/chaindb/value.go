package chaindb

import (
	"encoding/binary"
	"errors"
	"hash/crc32"

	"go.etcd.io/bbolt"
)

// Every value ends with a CRC-32C over the name of its bucket, its key and itself, so
// that one which has moved is as wrong as one that has changed. Processors have an
// instruction for this one: it costs 10 ns a filter, where the hash that the header
// commits to takes a microsecond.
const checksumSize = crc32.Size

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// errChecksum: a value is not the one that was written there.
var errChecksum = errors.New("the checksum is wrong")

func checksum(bucket, key, value []byte) uint32 {
	sum := crc32.Update(0, castagnoli, bucket)
	sum = crc32.Update(sum, castagnoli, key)
	return crc32.Update(sum, castagnoli, value)
}

// put stores a value with its checksum, for which it may use what value has of spare
// capacity.
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
