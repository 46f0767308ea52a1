package peer

import (
	"encoding/binary"
	"slices"
	"time"

	"dcrspv/spv/chain"

	"github.com/decred/dcrd/chaincfg/chainhash"
)

// A key tells which request an answer belongs to: the kind, and a hash in it. There
// is only one key for headers: nothing in them tells the request.
type key struct {
	kind kind
	hash chainhash.Hash
}

type kind uint8

const (
	kindHeaders kind = iota
	kindBatch        // cfiltersv2, by its first and by its last block
	kindFilter       // cfilterv2, by its block
	kindBlock        // block, by its hash
	kindPong         // pong, by its number
)

var headersKey = key{kind: kindHeaders}

// request is a question of ours. One goroutine waits for its answers.
type request struct {
	keys    []key
	replies chan reply
	gone    chan struct{} // closed when nobody waits any more

	whole   bool             // one answer answers it all
	locator []chainhash.Hash // of a getheaders: the answer continues one of these blocks
	limit   time.Duration    // longest wait for an answer
	ping    bool             // any byte of the remote extends the wait
	sent    bool             // the remote was asked
	number  int              // in the order of asking; 0 before that
}

// reply is an answer, or an error in its place.
type reply struct {
	key key
	msg any
	err error
}

// newRequest makes a request with an answer for each hash, of which so many are kept
// until the caller takes them.
func newRequest(kind kind, hashes []chainhash.Hash, buffer int) *request {
	r := &request{
		keys:    make([]key, len(hashes)),
		replies: make(chan reply, buffer),
		gone:    make(chan struct{}),
		limit:   stallLimit,
	}
	for i := range hashes {
		r.keys[i] = key{kind, hashes[i]}
	}
	return r
}

// newHeadersRequest makes the request of a getheaders.
func newHeadersRequest(locator []chainhash.Hash) *request {
	r := newRequest(kindHeaders, []chainhash.Hash{headersKey.hash}, 1)
	r.locator = locator
	return r
}

// newBatchRequest makes the request of a getcfsv2.
func newBatchRequest(first, last chainhash.Hash) *request {
	r := newRequest(kindBatch, []chainhash.Hash{first, last}, 1)
	r.whole = true
	return r
}

// newPingRequest makes the request of a ping.
func newPingRequest(nonce uint64) *request {
	r := newRequest(kindPong, []chainhash.Hash{pongHash(nonce)}, 1)
	r.limit = pingLimit
	r.ping = true
	return r
}

// pongHash is the number of a ping as a key has it.
func pongHash(nonce uint64) chainhash.Hash {
	var h chainhash.Hash
	binary.LittleEndian.PutUint64(h[:], nonce)
	return h
}

// markSent notes that the remote was asked.
func (r *request) markSent() { r.sent = true }

// setNumber gives the request its place in the order of asking, once.
func (r *request) setNumber(n int) (first bool) {
	if first = r.number == 0; first {
		r.number = n
	}
	return first
}

// links tells whether headers may be the answer to this getheaders.
func (r *request) links(headers []chain.Header) bool {
	return len(headers) == 0 || slices.Contains(r.locator, headers[0].PrevBlock())
}
