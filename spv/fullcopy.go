package spv

import (
	"slices"
	"time"

	"github.com/decred/dcrd/chaincfg/chainhash"
)

// fullCopy is a peer's copy of the whole set of filters from before DCP0005: fetched from
// it alone, hashed, and not kept.
type fullCopy struct {
	addr     string
	copied   *filterHasher    // used by the writer only
	next     uint32           // the first height that was not given to the writer
	hashes   []chainhash.Hash // of the batches below next
	requests []*request       // under way, or waiting for those before them
	wrong    time.Time        // when it was found not to be the known set
}

// wanted is the next height to ask for.
func (c *fullCopy) wanted() uint32 {
	if n := len(c.requests); n > 0 {
		return c.requests[n-1].to() + 1
	}
	return c.next
}

// request adds one that is under way.
func (c *fullCopy) request(r *request) { c.requests = append(c.requests, r) }

// suspend forgets the requests, and returns them to be called off.
func (c *fullCopy) suspend() (dropped []*request) {
	dropped, c.requests = c.requests, nil
	return dropped
}

// add notes the hash of the next batch.
func (c *fullCopy) add(hash chainhash.Hash) { c.hashes = append(c.hashes, hash) }

// take removes the filters that continue the copy.
func (c *fullCopy) take() (filters [][]byte) {
	for len(c.requests) > 0 && c.requests[0].Done() {
		r := c.requests[0]
		c.requests = c.requests[1:]
		c.next = r.to() + 1
		c.add(r.got.hash)
		filters = append(filters, r.got.filters...)
	}
	return filters
}

// failed: the peer could not do something of it.
func (c *fullCopy) failed() bool {
	return slices.ContainsFunc(c.requests, func(r *request) bool { return r.AnyFailed() })
}

// refute notes that it is not the known set.
func (c *fullCopy) refute(now time.Time) { c.wrong = now }
