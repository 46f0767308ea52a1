package scan

import (
	"slices"

	"dcrspv/spv/chain"
)

// Table holds what is still to be tested for whom. K names a wallet. Its methods are for
// one goroutine.
type Table[K comparable] struct {
	wants map[K]*want
	pass  *Pass[K] // under way
}

// want is a request and how far it is.
type want struct {
	Request            // as it came
	next        uint32 // the first block that is not tested
	disapproved []uint32
}

// Pass is one pass for all requests that are in the table when it starts.
type Pass[K comparable] struct {
	Requests []Request // what is left of each
	keys     []K
	wants    []*want
}

// Delivery is what a pass has found for one wallet, which is not in the table any more.
type Delivery[K comparable] struct {
	Key         K
	Range       chain.Range // that was tested since the request came
	End         End         // at Range.To
	Matches     []int       // which of the result's are its own
	Disapproved []uint32    // heights in the range, and just below it
}

// Put enters what a wallet wants tested, in place of what it wanted before.
func (t *Table[K]) Put(key K, r Request) {
	if t.wants == nil {
		t.wants = make(map[K]*want)
	}
	t.wants[key] = &want{Request: r, next: r.From}
}

// Remove forgets what a wallet wants.
func (t *Table[K]) Remove(key K) { delete(t.wants, key) }

// Clear forgets everything: the blocks are not of the best chain any more.
func (t *Table[K]) Clear() { clear(t.wants) }

// Empty reports whether nobody wants anything.
func (t *Table[K]) Empty() bool { return len(t.wants) == 0 }

// Has reports whether there is a request of a wallet.
func (t *Table[K]) Has(key K) bool { return t.wants[key] != nil }

// Tested is how many blocks of its request have been tested for a wallet.
func (t *Table[K]) Tested(key K) uint32 {
	if w := t.wants[key]; w != nil {
		return w.next - w.From
	}
	return 0
}

// Start begins a pass over all requests of which at most so many blocks are left. There is
// none while another is under way, or there is nothing to test.
func (t *Table[K]) Start(most uint32) (*Pass[K], bool) {
	if t.pass != nil {
		return nil, false
	}
	var pass Pass[K]
	for key, w := range t.wants {
		left := chain.Range{From: w.next, To: w.To}
		if uint64(left.Len()) > uint64(most) {
			continue
		}
		pass.keys = append(pass.keys, key)
		pass.wants = append(pass.wants, w)
		pass.Requests = append(pass.Requests, Request{left, w.Query})
	}
	if len(pass.wants) == 0 {
		return nil, false
	}
	t.pass = &pass
	return t.pass, true
}

// Finish ends the pass that is under way with its result, and returns what is to be
// handed out: to those that have matches or whose request is done, or for whom flush
// is true. What was forgotten or replaced meanwhile is left out.
func (t *Table[K]) Finish(res Result, flush func(K) bool) (deliveries []Delivery[K]) {
	pass := t.pass
	t.pass = nil
	for i, w := range pass.wants {
		key := pass.keys[i]
		if t.wants[key] != w || res.Through < w.next {
			continue // it is too high yet
		}
		to := min(res.Through, w.To)
		for _, height := range res.Disapproved {
			if height+1 >= w.next && height < to {
				w.disapproved = append(w.disapproved, height)
			}
		}
		d := Delivery[K]{Key: key, Range: chain.Range{From: w.From, To: to}, End: res.Ends[to], Disapproved: w.disapproved}
		for m := range res.Matches {
			if slices.Contains(res.Matches[m].Owners, i) {
				d.Matches = append(d.Matches, m)
			}
		}
		if len(d.Matches) > 0 || to == w.To || flush(key) {
			deliveries = append(deliveries, d)
			t.Remove(key)
			continue
		}
		w.next = to + 1
	}
	return deliveries
}

// Fail ends the pass that is under way without a result.
func (t *Table[K]) Fail() { t.pass = nil }
