package dbfile

import (
	"bytes"
	"encoding/binary"
)

// A bbolt file is a row of pages of one size (bbolt internal/common: Page, Meta,
// Bucket). Pages 0 and 1 are heads, of which the newer valid one counts. It
// names the page of the root bucket and the page with the list of free pages.
// Integers are in the byte order of the machine.
//
//	page       id 8, kind 2, count 2, overflow 4 (pages that belong to it), ...
//	head       (page 16), magic 4, version 4, page size 4, flags 4, root 8,
//	           sequence 8, free list 8, pages 8, transaction 8, FNV-1a 8
//	leaf       (page 16), (flags 4, pos 4, key size 4, value size 4)*, bytes
//	branch     (page 16), (pos 4, key size 4, page 8)*, bytes
//	free list  (page 16), (page 8)*
//	bucket     root 8, sequence 8, its only leaf if root is 0
//
// pos counts from the entry that it is in.
const (
	pageHeader  = 16
	entrySize   = 16
	bucketSize  = 16
	headSize    = 64
	kindBranch  = 1
	kindLeaf    = 2
	kindFree    = 16
	headMagic   = 0xed0cdaed
	headVersion = 2
	entryBucket = 1
	noFreeList  = 1<<64 - 1
	manyFree    = 0xffff // then the first entry of the free list is their count
)

// Limits that no file exceeds that bbolt has written for us. A crafted file must not use
// up the memory or the stack, neither ours nor bbolt's.
const (
	minPage   = 1 << 10   // bytes in a page
	maxPage   = 64 << 10  // likewise
	maxValues = 256 << 20 // bytes in a page and those that belong to it
	maxDepth  = 64        // branches and buckets, one inside the other
)

var native = binary.NativeEndian

// page is a page with its overflow pages, or the leaf inside a bucket.
type page struct {
	id uint64
	b  []byte
}

func (p page) kind() uint16  { return native.Uint16(p.b[8:]) }
func (p page) count() uint64 { return uint64(native.Uint16(p.b[10:])) }

func (p page) bad(what string) error { return damaged("page %d: %s", p.id, what) }

// entry is the key and the value of an entry; at is the offset of its pos, which its
// sizes follow. A branch has the number of a page in place of the value.
func (p page) entry(i, at int) (key, value []byte, ok bool) {
	entries := uint64(pageHeader) + entrySize*p.count()
	start := uint64(pageHeader + entrySize*i)
	if entries > uint64(len(p.b)) {
		return nil, nil, false
	}
	e := p.b[start+uint64(at):]
	start += uint64(native.Uint32(e))
	middle := start + uint64(native.Uint32(e[4:]))
	end := middle
	if p.kind() == kindLeaf {
		end += uint64(native.Uint32(e[8:]))
	}
	if start < entries || middle == start || end > uint64(len(p.b)) {
		return nil, nil, false
	}
	return p.b[start:middle], p.b[middle:end], true
}

// ordered checks that keys ascend from low, which is the first (nil: any), to below high.
func ordered(keys [][]byte, low, high []byte) bool {
	for i, key := range keys {
		if i == 0 && low != nil && !bytes.Equal(key, low) || i > 0 && bytes.Compare(key, keys[i-1]) <= 0 {
			return false
		}
	}
	return len(keys) == 0 || high == nil || bytes.Compare(keys[len(keys)-1], high) < 0
}
