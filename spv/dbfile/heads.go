package dbfile

import (
	"bytes"
	"hash/fnv"
	"io"
)

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
