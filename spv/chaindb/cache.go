package chaindb

import (
	"bytes"

	"dcrspv/spv/chain"

	"github.com/decred/dcrd/chaincfg/chainhash"
)

// checkedSegment is a segment of headers of which the checksum was right. Who reads
// headers one at a time, such as a chain that a peer tells of headers it has, would have
// it computed for each.
type checkedSegment struct {
	of      *state // of the file then; another state may have other headers
	segment uint32
	headers []byte         // a copy
	after   chainhash.Hash // of its last block, as what follows says
}

// checked returns the segment of a height, the last one that was asked for if it is that.
// Errors are those of Header.
func (db *DB) checked(height uint32) (*checkedSegment, error) {
	now := db.state.Load()
	segment, _ := segmentOf(height)
	if c := db.lastRead.Load(); c != nil && c.of == now && c.segment == segment && height <= now.tip.Height {
		return c, db.usable()
	}
	c := &checkedSegment{of: now, segment: segment}
	err := db.view(func(r *reader) error {
		if height > r.tip.Height {
			return r.noHeader(height)
		}
		value, count, err := r.headerSegment(segment)
		if err != nil {
			return err
		}
		c.headers = bytes.Clone(value)
		if c.after, err = r.hashAt(segment*segmentBlocks + uint32(count) - 1); err == nil && r.tip == now.tip {
			db.lastRead.Store(c)
		}
		return err
	})
	return c, err
}

// usable is the error of reading a file that was closed or has failed.
func (db *DB) usable() error { return wrap("reading", db.path, db.file.Usable()) }

// header returns the header at a height of the segment. ok: the block after it follows it.
func (c *checkedSegment) header(height uint32) (h chain.Header, ok bool) {
	_, index := segmentOf(height)
	h = *headerAt(c.headers, index)
	hash := c.after
	if next := (index + 1) * chain.HeaderSize; next < len(c.headers) {
		hash = headerAt(c.headers, index+1).PrevBlock()
	}
	return h, h.Hash() == hash
}
