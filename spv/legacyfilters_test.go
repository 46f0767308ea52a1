package spv

import (
	"slices"
	"testing"
	"time"

	"dcrspv/spv/chain"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/chaincfg/v3"
)

// testSet is a set of the filters 0 to last.
func testSet(last uint32) legacyFilters {
	return newLegacyFilters(chain.NewRules(chaincfg.SimNetParams(), chain.CommitmentsFrom(last+1, hashOf(99))))
}

func hashOf(n byte) chainhash.Hash { return chainhash.Hash{n} }

func TestBatches(t *testing.T) {
	for _, tt := range []struct {
		last uint32
		want []chain.Range
	}{
		{1, []chain.Range{{From: 1, To: 1}}},
		{99, []chain.Range{{From: 1, To: 99}}},
		{100, []chain.Range{{From: 1, To: 99}, {From: 100, To: 100}}},
		{287, []chain.Range{{From: 1, To: 99}, {From: 100, To: 199}, {From: 200, To: 287}}},
	} {
		s := testSet(tt.last)
		if len(s.delivered) != len(tt.want) {
			t.Errorf("%d batches up to %d, want %v", len(s.delivered), tt.last, tt.want)
			continue
		}
		for i, r := range tt.want {
			if got := s.batch(i); got != r {
				t.Errorf("batch %d is %v, want %v", i, got, r)
			}
			if got, ok := s.index(r); !ok || got != i {
				t.Errorf("%v is batch %d, %v, want %d", r, got, ok, i)
			}
			for _, other := range []chain.Range{{From: r.From, To: r.To + 1}, {From: r.From + 1, To: r.To + 1}, {From: 300, To: 399}} {
				if _, ok := s.index(other); ok {
					t.Errorf("%v is a batch", other)
				}
			}
		}
	}
	var none legacyFilters
	if _, ok := none.index(chain.Range{From: 0, To: 0}); ok {
		t.Error("a batch of no set")
	}
}

// deliverAll has peers deliver the batches in turn, batch i with hash i.
func deliverAll(s *legacyFilters, addrs ...string) {
	for i := range s.delivered {
		s.deliver(s.batch(i), addrs[i%len(addrs)], hashOf(byte(i)))
	}
}

// copyOf is a whole copy, batch i with hash i but for some.
func copyOf(s *legacyFilters, addr string, wrong ...int) *fullCopy {
	a := &fullCopy{addr: addr, next: s.last + 1}
	for i := range s.delivered {
		hash := hashOf(byte(i))
		if slices.Contains(wrong, i) {
			hash = hashOf(77)
		}
		a.hashes = append(a.hashes, hash)
	}
	s.remember(a)
	return a
}

// Rules 11 and 14.
func TestProveNamesLiars(t *testing.T) {
	s := testSet(599)
	deliverAll(&s, "a", "b", "c") // b: batches 1 and 4
	s.deliver(s.batch(4), "b", hashOf(50))
	s.delivered[3] = delivery{hash: hashOf(51)} // from before a restart
	copyOf(&s, "d", 5)                          // differs from a right one
	copyOf(&s, "e")
	partial := copyOf(&s, "f", 0, 4)
	partial.hashes = partial.hashes[:1]
	liars := s.prove(copyOf(&s, "g"))
	slices.Sort(liars)
	if want := []string{"b", "d", "f"}; !slices.Equal(liars, want) {
		t.Errorf("liars %v, want %v", liars, want)
	}
	if hash, ok := s.rightHash(s.batch(4)); !ok || hash != hashOf(4) {
		t.Errorf("right hash %v, %v", hash, ok)
	}
	if _, ok := s.rightHash(chain.Range{From: 400, To: 450}); ok {
		t.Error("a right hash of what is no batch")
	}
}

func TestAuditorChoice(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	s := testSet(599)
	deliverAll(&s, "a", "b", "a") // a: 4, b: 2
	s.mismatch(now)
	if len(s.copies) != 0 {
		t.Errorf("copies before there is one: %v", s.copies)
	}
	if a := s.nextSource(nil, now); a != nil {
		t.Errorf("%s without peers", a.addr)
	}
	choose := func(want string, at time.Time, peers ...string) *fullCopy {
		t.Helper()
		a := s.nextSource(peers, at)
		if a == nil || a.addr != want {
			t.Fatalf("chose %v, want %s", a, want)
		}
		s.current = a
		return a
	}
	choose("c", now, "a", "b", "c", "d") // delivered nothing, and ranks before d
	choose("c", now, "d", "a", "c")      // goes on
	b := choose("b", now, "a", "b")      // c is gone
	b.next = 200
	choose("b", now, "c", "b", "d")
	choose("d", now, "d", "a")
	choose("b", now, "a", "b") // where it was
	b.wrong = now
	choose("a", now, "a", "b")
	s.current = nil
	s.copyOf("a").wrong = now
	if a := s.nextSource([]string{"a", "b"}, now.Add(copyPause-1)); a != nil {
		t.Errorf("%s is asked again", a.addr)
	}
	if a := choose("b", now.Add(copyPause), "b", "a"); a == b || a.next != 1 {
		t.Error("an fullCopy that failed is continued")
	}
}

// A peer that delivered all of a wrong set has no other copy to offer.
func TestMismatchOfOnePeersCopy(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	s := testSet(599)
	deliverAll(&s, "a")
	s.mismatch(now)
	if a := s.nextSource([]string{"a"}, now); a != nil {
		t.Errorf("%s is asked", a.addr)
	}
	if a := s.nextSource([]string{"a", "b"}, now); a == nil || a.addr != "b" {
		t.Errorf("chose %v", a)
	}

	s = testSet(599)
	s.mismatch(now) // nobody is known to have delivered
	if a := s.nextSource([]string{"a"}, now); a == nil {
		t.Error("nobody is asked")
	}
}

// Rule 20.
func TestAuditsAreBounded(t *testing.T) {
	s := testSet(99)
	for i := range 3 * maxCopies {
		copyOf(&s, string(rune('a'+i)))
	}
	if len(s.copies) != maxCopies {
		t.Errorf("%d copies", len(s.copies))
	}
}

// A reorg keeps who delivered what is kept.
func TestSetReset(t *testing.T) {
	s := testSet(599)
	deliverAll(&s, "a")
	s.verified, s.wrong, s.right = true, true, make([]chainhash.Hash, 6)
	copyOf(&s, "b")
	s.reset(299)
	if s.verified || s.wrong || s.right != nil || len(s.copies) != 0 || s.running.next != 0 {
		t.Errorf("after a reorg: %+v", s)
	}
	if n := s.deliveries()["a"]; n != 3 {
		t.Errorf("%d deliveries kept, want 3", n)
	}
}
