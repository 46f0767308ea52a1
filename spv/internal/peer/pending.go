package peer

import (
	"slices"
	"sync"
	"time"

	"dcrspv/spv/chain"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/container/lru"
)

// maxLate is how many given-up answers are remembered, so that they are not
// counted as unsolicited when they arrive after all.
const maxLate = 1000

// pending is the table of all requests of a connection that wait. Its lock is
// held for a few map operations and never while anything is waited for.
type pending struct {
	mu          sync.Mutex
	open        map[key]*request
	late        func() *lru.Set[key] // given up, the answer may come; made when first needed
	lateHeaders int                  // given-up getheaders whose answer has not come
	announcing  bool                 // sendheaders was sent: headers answer no request
	sent        int                  // requests so far
	answered    int                  // number of the last one that was answered, in part or in whole
	answeredAt  time.Time
}

func newPending() pending {
	return pending{open: make(map[key]*request), late: sync.OnceValue(func() *lru.Set[key] {
		return lru.NewSet[key](maxLate)
	})}
}

// add enters a request, or none of it if any of its keys is taken.
func (t *pending) add(r *request) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, k := range r.keys {
		if k == headersKey && t.announcing {
			return ErrAfterSendHeaders
		}
		if t.open[k] != nil {
			return ErrBusy
		}
	}
	for _, k := range r.keys {
		t.open[k] = r
	}
	return nil
}

// noteOrder notes that a message of a request is about to be written. Answers come in
// this order.
func (t *pending) noteOrder(r *request) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if r.setNumber(t.sent + 1) {
		t.sent++
	}
}

// answer notes that a request is being answered.
func (t *pending) answer(r *request) {
	if !r.ping { // a pong tells nothing about the answers behind it
		t.answered, t.answeredAt = r.number, time.Now()
	}
}

// answerLate notes the answer to a request that was given up: the requests behind it
// had to wait for it.
func (t *pending) answerLate() { t.answeredAt = time.Now() }

// before returns when the last answer came, if it was to a request before r or to one
// that was given up: nodes answer in order. ok is false if a later request than r was
// answered.
func (t *pending) before(r *request) (at time.Time, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.answeredAt, t.answered <= r.number
}

// take returns the request that waits for this key, which is then answered,
// or nil; late tells that such a request was given up.
func (t *pending) take(k key) (r *request, late bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	r = t.open[k]
	if r == nil {
		if late = t.late().Contains(k); late && k.kind != kindPong {
			t.answerLate()
		}
		t.late().Delete(k)
		return nil, late
	}
	delete(t.open, k)
	t.answer(r)
	return r, false
}

// takeBatch is take for a batch of filters, by its first and last block. If both are
// those of a request that was given up, it is the answer to that request, even if
// another one that begins or ends with the same block waits now.
func (t *pending) takeBatch(first, last chainhash.Hash) (r *request, late bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	r, other := t.open[key{kindBatch, first}], t.open[key{kindBatch, last}]
	if r == nil || r != other {
		if k := batchKey(first, last); t.late().Contains(k) {
			t.late().Delete(k)
			t.answerLate()
			return nil, true
		}
	}
	if r == nil {
		r = other
	}
	if r != nil {
		t.remove(r)
		t.answer(r)
	}
	return r, false
}

// batchKey is the key of a batch request that was given up.
func batchKey(first, last chainhash.Hash) key {
	return key{kindBatch, chainhash.HashH(slices.Concat(first[:], last[:]))}
}

// takeHeaders is take for a headers message. Nothing in it tells the request, so
// after a getheaders was given up the next message is taken for its answer, unless it
// continues the locator of the request that waits now. Headers that continue something
// else are an announcement; the answer may still come.
func (t *pending) takeHeaders(headers []chain.Header) (r *request, late bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.announcing {
		return nil, false
	}
	r = t.open[headersKey]
	links := r != nil && r.links(headers)
	if t.lateHeaders > 0 && (!links || len(headers) == 0) {
		t.lateHeaders--
		t.answerLate()
		return nil, true
	}
	if !links {
		return nil, false
	}
	delete(t.open, headersKey)
	t.answer(r)
	return r, false
}

// drop takes a request out of the table, answered or not. The answer to one that was
// sent may still come.
func (t *pending) drop(r *request) {
	t.mu.Lock()
	defer t.mu.Unlock()
	removed := t.remove(r)
	if r.whole && len(removed) > 0 {
		removed = []key{batchKey(r.keys[0].hash, r.keys[1].hash)}
	}
	for _, k := range removed {
		switch {
		case !r.sent:
		case k == headersKey:
			t.lateHeaders++
		default:
			t.late().Put(k)
		}
	}
	close(r.gone)
}

// remove deletes the keys of r that are still open and returns them.
func (t *pending) remove(r *request) []key {
	var removed []key
	for _, k := range r.keys {
		if t.open[k] == r {
			delete(t.open, k)
			removed = append(removed, k)
		}
	}
	return removed
}

// announce ends the time of requested headers. It returns the request that is
// still waiting, if any, and whether this is the first call.
func (t *pending) announce() (r *request, first bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.announcing {
		return nil, false
	}
	t.announcing = true
	r = t.open[headersKey]
	delete(t.open, headersKey)
	return r, true
}

// announced tells whether announce was called.
func (t *pending) announced() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.announcing
}
