package chaindb

import "bytes"

// checkedSegment is a segment of headers of which the checksum was right. Who reads
// headers one at a time, such as a chain that a peer tells of headers it has, would have
// it computed for each.
type checkedSegment struct {
	of      *state // of the file then; another state may have other headers
	segment uint32
	headers []byte // a copy
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
		value, _, err := r.linkedSegment(segment)
		if err != nil {
			return err
		}
		if c.headers = bytes.Clone(value); r.tip == now.tip {
			db.lastRead.Store(c)
		}
		return nil
	})
	return c, err
}

// usable is the error of reading a file that was closed or has failed.
func (db *DB) usable() error { return wrap("reading", db.path, db.file.Usable()) }
