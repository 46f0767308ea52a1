package dbfile

import (
	"bytes"
	"hash/fnv"
	"io"
)

// Head is what counts of pages 0 and 1.
type Head struct {
	Tx    uint64 // the last transaction
	Pages uint64 // in use or free
	Page  int64  // where this head is, 0 or 1

	PageSize int // in bytes

	Root uint64 // the page of the root bucket
	Free uint64 // the page with the list of free pages
}

// ReadHead finds the newer valid head. Errors: ErrDamaged, those of reading.
func ReadHead(file io.ReaderAt, pageSize int) (newest Head, err error) {
	found := false
	b := make([]byte, headSize)
	for id := range int64(2) {
		if _, err := file.ReadAt(b, id*int64(pageSize)+pageHeader); err != nil {
			return Head{}, err
		}
		if !validHead(b) {
			continue
		}
		h := Head{Root: native.Uint64(b[16:]), Free: native.Uint64(b[32:]), Pages: native.Uint64(b[40:]), Tx: native.Uint64(b[48:]), Page: id, PageSize: pageSize}
		if !found || h.Tx > newest.Tx {
			newest, found = h, true
		}
	}
	if !found {
		return Head{}, damaged("it has no head")
	}
	return newest, nil
}

// Of the two heads the newer valid one counts, and bbolt goes back to the other without
// a word: to the file as it was before its last change. That is right if a crash has
// left a head half written, which then is partly the new one and partly the one before.
// It is wrong if the newer one was whole and is damaged: if it were valid with one bit
// different, or if it is not even like a head of this file.

const (
	headFixed = 16 // so many bytes at the beginning are the same in all heads of a file
	headTx    = 48 // where the transaction is
)

// checkHeads checks that what counts of a file is its newest state.
func checkHeads(file io.ReaderAt, pageSize int) error {
	heads := make([][]byte, 2)
	for id := range heads {
		heads[id] = make([]byte, headSize)
		if _, err := file.ReadAt(heads[id], int64(id*pageSize)+pageHeader); err != nil {
			return err
		}
	}
	for id, h := range heads {
		other := heads[1-id]
		if validHead(h) {
			continue
		}
		was := nearlyHead(h)
		if was == nil && !bytes.Equal(h[:headFixed], other[:headFixed]) ||
			was != nil && native.Uint64(was[headTx:]) > native.Uint64(other[headTx:]) {
			return damaged("page %d: a damaged head", id)
		}
	}
	return nil
}

// validHead reports whether bbolt takes it for a head.
func validHead(h []byte) bool {
	sum := fnv.New64a()
	sum.Write(h[:headSize-8])
	return native.Uint32(h) == headMagic && native.Uint32(h[4:]) == headVersion && native.Uint64(h[headSize-8:]) == sum.Sum64()
}

// nearlyHead is the head that h is with one bit different; nil if there is none.
func nearlyHead(h []byte) []byte {
	was := bytes.Clone(h)
	for bit := range 8 * len(h) {
		was[bit/8] ^= 1 << (bit % 8)
		if validHead(was) {
			return was
		}
		was[bit/8] ^= 1 << (bit % 8)
	}
	return nil
}

// checkFreeList looks at the page with the list of free pages, as bbolt does in
// each commit, but without care: it would count through as many pages as noise
// there says.
func (f *File) checkFreeList() error {
	pageSize := f.Info().PageSize
	h, err := ReadHead(f.file, pageSize)
	if err != nil || h.Free == noFreeList {
		return err
	}
	p := page{h.Free, make([]byte, pageHeader)}
	if _, err := f.file.ReadAt(p.b, int64(h.Free)*int64(pageSize)); err != nil {
		return f.fail(damaged("page %d: %v", h.Free, err))
	}
	overflow := uint64(native.Uint32(p.b[12:]))
	if native.Uint64(p.b) != h.Free || p.kind() != kindFree || h.Free+overflow >= h.Pages {
		return f.fail(p.bad("no list of free pages"))
	}
	return nil
}
