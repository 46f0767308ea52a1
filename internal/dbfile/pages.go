package dbfile

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"io"
)

// A bbolt file is a row of pages of one size (bbolt internal/common: Page, Meta,
// Bucket). Pages 0 and 1 are heads, of which the newer valid one counts. It
// names the page of the root bucket and that with the list of free pages.
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

// What no file has that bbolt has written for us. A crafted one must not use up the
// memory or the stack, neither ours nor bbolt's.
const (
	minPage   = 1 << 10   // bytes in a page
	maxPage   = 64 << 10  // likewise
	maxValues = 256 << 20 // bytes in a page and those that belong to it
	maxDepth  = 64        // branches and buckets, one inside the other
)

var native = binary.NativeEndian

// page is a page with those that belong to it, or the leaf inside a bucket.
type page struct {
	id uint64
	b  []byte
}

func (p page) kind() uint16  { return native.Uint16(p.b[8:]) }
func (p page) count() uint64 { return uint64(native.Uint16(p.b[10:])) }

func (p page) bad(what string) error { return damaged("page %d: %s", p.id, what) }

// depth is how many of the pages are read.
type depth int

const (
	allPages    depth = iota
	branchPages       // not the leaves of the buckets, nearly all of the file
	neededPages       // nor anything of the buckets that are not needed yet
)

// pageCheck goes through the pages of a file.
type pageCheck struct {
	file io.ReaderAt
	size uint64 // of a page
	seen []bool // pages whose use is known

	depth  depth
	needed func(bucket string) bool // of neededPages

	nested int // how deep the entry is that is being checked

	over func() error // why the caller no longer waits; nil if it does
}

// CheckPages checks that all pages are there, that each has one use, and that
// their entries lie within them and in order. bbolt does not: led astray by a
// page, it may end the process in ways that can't be caught, by a stack or a
// list without end. Open has done it, for those that were there then.
//
// Nobody may write meanwhile. The pages are read from the file, not its mapping.
// Errors: ErrDamaged, after which bbolt must not go there and the file is of no more
// use; that of ctx, those of reading.
func (f *File) CheckPages(ctx context.Context) error { return f.checkOrEnd(ctx, allPages) }

// CheckRest checks, once, the pages that lead to what was not needed to open the file.
// Until then only the buckets that were may be read, and nothing written. Errors are those
// of CheckPages.
func (f *File) CheckRest() error {
	f.rest.Do(func() {
		if f.depth == neededPages {
			f.restErr = f.checkOrEnd(context.Background(), branchPages)
		}
	})
	return f.restErr
}

func (f *File) checkOrEnd(ctx context.Context, depth depth) error {
	err := f.checkPages(ctx, depth, nil)
	if errors.Is(err, ErrDamaged) {
		return f.fail(err)
	}
	return err
}

// checkPages checks the pages to some depth.
func (f *File) checkPages(ctx context.Context, depth depth, needed func(bucket string) bool) error {
	info, err := f.file.Stat()
	if err != nil {
		return err
	}
	pageSize := f.Info().PageSize
	if pageSize < minPage || pageSize > maxPage || pageSize&(pageSize-1) != 0 {
		return damaged("pages of %d bytes", pageSize)
	}
	if err := checkHeads(f.file, pageSize); err != nil {
		return err
	}
	h, err := ReadHead(f.file, pageSize)
	if err != nil {
		return err
	}
	if have := uint64(info.Size()) / uint64(pageSize); h.Pages > have {
		return damaged("%d of %d pages are missing at its end", h.Pages-have, h.Pages)
	}
	c := &pageCheck{file: f.file, size: uint64(pageSize), seen: make([]bool, h.Pages), depth: depth, needed: needed, over: ctx.Err}
	if err := c.tree(h.Root, nil, nil, true, allLevels); err != nil {
		return err
	}
	if h.Free == noFreeList { // as other programs may leave it; bbolt makes one
		return nil
	}
	if err := c.freeList(h.Free); err != nil {
		return err
	}
	for id, seen := range c.seen {
		if !seen && id > 1 && depth == allPages {
			return damaged("page %d: neither used nor free", id)
		}
	}
	return nil
}

// claim notes the use of a page.
func (c *pageCheck) claim(id uint64) error {
	switch {
	case id < 2 || id >= uint64(len(c.seen)):
		return damaged("page %d is used and not there", id)
	case c.seen[id]:
		return damaged("page %d: used twice", id)
	}
	c.seen[id] = true
	return nil
}

// read reads a page and those that belong to it.
func (c *pageCheck) read(id uint64) (page, error) {
	if err := cmp.Or(c.over(), c.claim(id)); err != nil {
		return page{}, err
	}
	p := page{id, make([]byte, c.size)}
	if _, err := c.file.ReadAt(p.b, int64(id*c.size)); err != nil {
		return page{}, err
	}
	if native.Uint64(p.b) != id {
		return page{}, p.bad("not itself")
	}
	overflow := uint64(native.Uint32(p.b[12:]))
	if overflow*c.size > maxValues {
		return page{}, p.bad("too large")
	}
	for n := range overflow {
		if err := c.claim(id + 1 + n); err != nil {
			return page{}, err
		}
	}
	if overflow == 0 {
		return p, nil
	}
	p.b = make([]byte, c.size*(1+overflow))
	_, err := c.file.ReadAt(p.b, int64(id*c.size))
	return p, err
}

// freeList checks the list of free pages.
func (c *pageCheck) freeList(id uint64) error {
	p, err := c.read(id)
	if err != nil {
		return err
	}
	list, n := p.b[pageHeader:], p.count()
	if n == manyFree {
		n, list = native.Uint64(list), list[8:]
	}
	if p.kind() != kindFree || n > uint64(len(list)/8) {
		return p.bad("no list of free pages")
	}
	for i := range n {
		if err := c.claim(native.Uint64(list[8*i:])); err != nil {
			return err
		}
	}
	return nil
}

// allLevels stands for a number of levels that is not known.
const allLevels = -1

// levels counts the branches above a bucket's leaves, which all have the same
// number of them.
func (c *pageCheck) levels(id uint64) (int, error) {
	b := make([]byte, pageHeader+entrySize)
	for n := 0; ; n++ {
		if id >= uint64(len(c.seen)) || n > len(c.seen) {
			return 0, damaged("page %d is used and not there", id)
		}
		if _, err := c.file.ReadAt(b, int64(id*c.size)); err != nil {
			return 0, err
		}
		if native.Uint16(b[8:]) != kindBranch {
			return n, nil
		}
		id = native.Uint64(b[pageHeader+8:])
	}
}

// tree checks a page of a bucket and all below it. Its first key is low (nil: any), by
// which bbolt finds its place in the branch, and all are below high (nil: no bound). Only
// top, the bucket's first page, may be empty. What is deeper than so many levels is not
// read.
func (c *pageCheck) tree(id uint64, low, high []byte, top bool, levels int) error {
	if levels == 0 {
		return c.claim(id)
	}
	if c.nested++; c.nested > maxDepth {
		return damaged("page %d: too many others lead to it", id)
	}
	defer func() { c.nested-- }()
	if levels > 0 {
		levels--
	}
	p, err := c.read(id)
	if err != nil {
		return err
	}
	if p.count() == 0 && !(top && p.kind() == kindLeaf) {
		return p.bad("empty")
	}
	switch p.kind() {
	case kindLeaf:
		return c.leaf(p, low, high)
	case kindBranch:
		return c.branch(p, low, high, levels)
	}
	return p.bad("neither leaf nor branch")
}

func (c *pageCheck) branch(p page, low, high []byte, levels int) error {
	keys := make([][]byte, p.count())
	for i := range keys {
		key, _, ok := p.entry(i, 0)
		if !ok {
			return p.bad("a key is outside")
		}
		keys[i] = key
	}
	if !ordered(keys, low, high) {
		return p.bad("keys are out of order")
	}
	for i, key := range keys {
		end := high
		if i+1 < len(keys) {
			end = keys[i+1]
		}
		if err := c.tree(native.Uint64(p.b[pageHeader+entrySize*i+8:]), key, end, false, levels); err != nil {
			return err
		}
	}
	return nil
}

func (c *pageCheck) leaf(p page, low, high []byte) error {
	keys := make([][]byte, p.count())
	for i := range keys {
		key, value, ok := p.entry(i, 4)
		if !ok {
			return p.bad("an entry is outside")
		}
		keys[i] = key
		switch native.Uint32(p.b[pageHeader+entrySize*i:]) {
		case 0:
		case entryBucket:
			if c.depth == neededPages && !c.needed(string(key)) {
				break
			}
			if err := c.bucket(p, value); err != nil {
				return err
			}
		default:
			return p.bad("an entry of no known kind")
		}
	}
	if !ordered(keys, low, high) {
		return p.bad("keys are out of order")
	}
	return nil
}

// entry is the key and the value of an entry; its pos is at a byte of it, and
// its sizes follow. A branch has the number of a page in place of the value.
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

// bucket checks what an entry of page p says of a bucket.
func (c *pageCheck) bucket(p page, value []byte) error {
	if len(value) < bucketSize {
		return p.bad("a bucket is cut off")
	}
	if root := native.Uint64(value); root != 0 {
		if len(value) != bucketSize {
			return p.bad("a bucket with a tail")
		}
		levels := allLevels
		if c.depth != allPages {
			var err error
			if levels, err = c.levels(root); err != nil {
				return err
			}
		}
		return c.tree(root, nil, nil, true, levels)
	}
	if c.nested++; c.nested > maxDepth {
		return p.bad("buckets in buckets")
	}
	defer func() { c.nested-- }()
	inner := page{p.id, value[bucketSize:]}
	if len(inner.b) < pageHeader || inner.kind() != kindLeaf {
		return p.bad("a bucket without a leaf")
	}
	if native.Uint64(inner.b) != 0 || native.Uint32(inner.b[12:]) != 0 { // bbolt would free that page
		return p.bad("the leaf inside a bucket has a number")
	}
	if err := c.leaf(inner, nil, nil); err != nil {
		return err
	}
	size := pageHeader
	for i := range int(inner.count()) {
		key, value, _ := inner.entry(i, 4)
		size += entrySize + len(key) + len(value)
	}
	if size != len(inner.b) {
		return p.bad("a bucket with a tail")
	}
	return nil
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
