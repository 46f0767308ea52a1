package peer

import (
	"context"
	"fmt"
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

// A key is what an answer is recognised by: its kind, and a hash in it. There
// is only one key for headers, which carry no mark.
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

// request is a question that a goroutine waits for the answers of.
type request struct {
	keys    []key
	replies chan reply
	gone    chan struct{} // closed when nobody waits any more

	whole   bool             // one answer answers it all
	locator []chainhash.Hash // of a getheaders: what the answer links to
	limit   time.Duration    // longest wait for an answer
	alive   bool             // any byte of the remote extends the wait
	sent    bool             // the remote has been asked
	number  int              // in the order of asking; 0 before that
}

// reply is an answer, or an error in its place.
type reply struct {
	key key
	msg any
	err error
}

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

// links tells whether headers may be the answer to this getheaders.
func (r *request) links(headers []chain.Header) bool {
	return len(headers) == 0 || slices.Contains(r.locator, headers[0].PrevBlock())
}

// pending is the table of all requests of a connection that wait. Its lock is
// held for a few map operations and never while anything is waited for.
type pending struct {
	mu          sync.Mutex
	open        map[key]*request
	late        func() *lru.Set[key] // given up, answer may come; made when first needed
	lateHeaders int                  // given-up getheaders whose answer has not come
	announcing  bool                 // sendheaders was sent: headers are nobody's
	sent        int                  // requests so far
	answered    int                  // which was last answered, in part or in whole
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

// asked notes that a message of a request is about to be written, which is the order
// that answers come in.
func (t *pending) asked(r *request) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if r.number == 0 {
		t.sent++
		r.number = t.sent
	}
}

// answer notes that a request is being answered.
func (t *pending) answer(r *request) {
	if !r.alive { // pings are none of the others' business
		t.answered, t.answeredAt = r.number, time.Now()
	}
}

// answerLate notes the answer to a request that was given up: those behind it had to
// wait for it.
func (t *pending) answerLate() { t.answeredAt = time.Now() }

// before returns when the last answer came, if it was to a request before r or to one
// that was given up: nodes answer in order. ok is false when one was answered that was made after r.
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

// takeBatch is take for a batch of filters, by its first and last block. An answer
// with both of a request that was given up is the answer to that, although one
// may be waiting now that begins or ends with the same block.
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

// batchKey is what the answer to a batch request that was given up is recognised
// by.
func batchKey(first, last chainhash.Hash) key {
	return key{kindBatch, chainhash.HashH(slices.Concat(first[:], last[:]))}
}

// takeHeaders is take for a headers message. Answers to getheaders carry no
// mark, so after one was given up the next message is taken for its answer,
// unless it continues what is being asked for now. Headers that continue
// something else are an announcement; the answer may still come.
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

// drop takes a request out of the table, answered or not. What was sent and
// not answered may still come.
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

// deliver gives an answer to a request. It is called by the reader and waits
// while the request has enough to do with those before.
func (p *Peer) deliver(r *request, rep reply) {
	select {
	case r.replies <- rep:
		return
	default:
	}
	p.hold.begin()
	defer p.hold.end()
	select {
	case r.replies <- rep:
	case <-r.gone:
	case <-p.done:
	}
}

// standstill is how late a timer must be to tell that this process stood still
// (SIGSTOP): then the answer may be here, unread, and has its whole time again.
const standstill = 2 * time.Second

// On a slow line an answer may take longer than the limit: a headers message of 360 kB
// does at 10 kB a second. While it comes in, with leastRate bytes a second, it is
// waited for; what has come sooner counts for the limit at most. Connections that
// bytes come in by together are each given their share of the line.
const leastRate = 4 << 10

// incoming is the answer that is being read.
type incoming struct {
	mu    sync.Mutex
	began int64     // bytes of the connection before it
	seen  int64     // and when until was last asked for
	good  time.Time // until when it may be waited for; zero between answers
	ended time.Time // when the last one was complete
}

// begin notes that an answer begins to come in.
func (in *incoming) begin(bytes int64) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.began, in.seen, in.good = bytes, bytes, time.Now().Add(moving)
}

// end notes that it is complete.
func (in *incoming) end() {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.good, in.ended = time.Time{}, time.Now()
}

// moved is when a byte of an answer last came, given when one of anything did.
func (in *incoming) moved(heard time.Time) time.Time {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.good.IsZero() {
		return in.ended
	}
	return heard
}

// so is how many bytes of it have come, given how many of the connection.
func (in *incoming) so(bytes int64) int64 {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.good.IsZero() {
		return 0
	}
	return bytes - in.began
}

// until is how long an answer may be waited for with what has come of it, on a line
// that so many connections share.
func (in *incoming) until(bytes int64, shared int, now time.Time) time.Time {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.good.IsZero() {
		return time.Time{}
	}
	more := time.Duration(bytes-in.seen) * time.Second / leastRate * time.Duration(shared)
	in.seen = bytes
	if in.good = in.good.Add(more); in.good.After(now.Add(stallLimit)) {
		in.good = now.Add(stallLimit)
	}
	return in.good
}

// await returns the next answer to r, or why there is none. Its time begins anew when
// a request before it is answered, and goes on while an answer comes in, unless a
// request behind it has been answered already.
func (p *Peer) await(ctx context.Context, r *request) (reply, error) {
	start, held := time.Now(), p.hold.total()
	due := start.Add(r.limit)
	timer := time.NewTimer(r.limit)
	defer timer.Stop()
	for {
		select {
		case rep := <-r.replies:
			return rep, rep.err
		case <-ctx.Done():
			return reply{}, ctx.Err()
		case <-p.done:
			select {
			case rep := <-r.replies: // it came before the end
				return rep, rep.err
			default:
				return reply{}, p.closedError()
			}
		case <-timer.C:
			if time.Since(due) >= standstill {
				start, held = time.Now(), p.hold.total()
			}
			waited := time.Since(start) - (p.hold.total() - held)
			if r.alive {
				waited = min(waited, time.Since(p.conn.heardAt()))
			}
			left := r.limit - waited
			if before, ok := p.waiting.before(r); ok && !r.alive {
				now := time.Now()
				good := p.incoming.until(p.conn.in.Load(), p.cfg.Line.shared(now), now)
				left = max(left, time.Until(before.Add(r.limit)), time.Until(good))
			}
			if left <= 0 {
				return reply{}, fmt.Errorf("%w: nothing for %v", ErrStalled, r.limit)
			}
			due = time.Now().Add(left)
			timer.Reset(left)
		}
	}
}
