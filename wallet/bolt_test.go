package wallet

import "encoding/binary"

// What the tests know of the pages of a bbolt file; package dbfile has the whole of it.
// Sizes are in bytes, and integers in the byte order of the machine.
const (
	pageHeader = 16
	entrySize  = 16
	headSize   = 64
	kindBranch = 1
	kindLeaf   = 2

	bucketSize  = 16
	entryBucket = 1 // what says that an entry of a leaf is a bucket
)

var native = binary.NativeEndian
