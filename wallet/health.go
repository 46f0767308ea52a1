package wallet

import "cmp"

// health is what keeps a transaction from being read on: damage, or a caller that no
// longer waits.
type health struct {
	// bad is the first damage found: whatever was made of the rest does not count, and
	// result puts this in its place.
	bad error

	ended func() error // why the caller no longer waits; nil if it does

	// checkRest checks the pages of the buckets that were not needed to open the file, before
	// one of them is used; nil if they were.
	checkRest func() error
}

// restUnread notes how to check the pages that were not.
func (h *health) restUnread(check func() error) { h.checkRest = check }

// readRest checks the pages of the buckets that were not needed to open the file, once.
func (h *health) readRest() bool {
	if h.checkRest == nil {
		return true
	}
	if err := h.checkRest(); err != nil {
		h.bad = cmp.Or(h.bad, err)
		return false
	}
	h.checkRest = nil
	return true
}

// damaged notes damage, an ErrCorrupt.
func (h *health) damaged(format string, args ...any) {
	if h.bad == nil {
		h.bad = corrupt(format, args...)
	}
}

// over is why nothing more is to be read.
func (h *health) over() error {
	if h.bad != nil {
		return h.bad
	}
	return h.ended()
}

// result is the error of a transaction that ends with err.
func (h *health) result(err error) error {
	if h.bad != nil {
		return h.bad
	}
	return err
}
