package chain

import (
	"cmp"
	"fmt"
)

// Source gives the headers of the stored best chain by height, up to its tip. A
// Chain asks it only for heights below those it holds in memory.
type Source interface {
	Header(height uint32) (Header, error)
	Headers(Range) ([]Header, error)
}

// reader reads stored headers, and remembers the failures of the Source.
type reader struct {
	src     Source
	genesis Header
	err     error // first failure since forget, as an ErrSource
	failed  error // first failure ever
}

// forget forgets err.
func (r *reader) forget() { r.err = nil }

// header gives a stored header; nil if that fails.
func (r *reader) header(height uint32) *Header {
	if height == 0 {
		h := r.genesis
		return &h
	}
	h, err := r.src.Header(height)
	if err != nil {
		r.fail(err)
		return nil
	}
	return &h
}

// headers gives stored headers.
func (r *reader) headers(heights Range) (headers []Header, ok bool) {
	headers, err := r.src.Headers(heights)
	if err != nil {
		r.fail(err)
	}
	return headers, err == nil
}

// fail notes that the Source could not be read.
func (r *reader) fail(err error) {
	err = fmt.Errorf("%w: %w", ErrSource, err)
	r.err = cmp.Or(r.err, err)
	r.failed = cmp.Or(r.failed, err)
}
