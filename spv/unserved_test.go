package spv

import (
	"testing"
	"time"

	"dcrspv/spv/chain"
	"dcrspv/spv/spvtest"
)

// A block that was given up is not taken for a while from those who were silent about it,
// and from others it is.
func TestAvoidedOfTheSilent(t *testing.T) {
	c := spvtest.NewChain(nil)
	c.Mine(5)
	now := c.Time()
	rules := c.Rules()
	batch, err := rules.Check([]chain.Header{c.Header(1), c.Header(2), c.Header(3)})
	if err != nil {
		t.Fatal(err)
	}
	_, genesis := rules.Genesis()
	best := chain.New(rules, noHeaders{}, genesis, chain.Work(0))
	var u unserved
	for _, addr := range []string{"a", "b"} { // given up twice
		u.look(chain.BlockID{Height: 2, Hash: batch.Hashes[1]}, now)
		clear(u.silent)
		u.inVain(addr)
		u.giveUp(now)
	}
	for _, tt := range []struct {
		addr  string
		after time.Duration
		want  int
	}{{"a", 0, 1}, {"b", 0, 1}, {"c", 0, 3}, {"a", avoidTime - 1, 1}, {"a", avoidTime, 3}, {"a", 0, 3}} {
		if got := len(u.taken(batch, tt.addr, best, now.Add(tt.after)).Hashes); got != tt.want {
			t.Errorf("from %s after %v: %d headers, want %d", tt.addr, tt.after, got, tt.want)
		}
	}
}

// The patience begins anew with the height, and not with the branch: whoever withholds can
// give us one after the other.
func TestPatienceIsForTheHeight(t *testing.T) {
	var u unserved
	now := time.Unix(1_700_000_000, 0)
	u.look(chain.BlockID{Height: 2, Hash: hashOf(1)}, now)
	u.inVain("a")
	u.look(chain.BlockID{Height: 2, Hash: hashOf(2)}, now.Add(time.Second))
	if !u.since.Equal(now) || len(u.silent) > 0 {
		t.Errorf("another branch: since %v, silent %v", u.since, u.silent)
	}
	u.look(chain.BlockID{Height: 3, Hash: hashOf(2)}, now.Add(time.Second))
	if u.since.Equal(now) {
		t.Error("another height has no time of its own")
	}
}

// The blocks that are avoided are bounded: the ones that would be free first go.
func TestAvoidedAreBounded(t *testing.T) {
	var u unserved
	now := time.Unix(1_700_000_000, 0)
	for i := range 2 * maxAvoided {
		u.look(chain.BlockID{Height: 2, Hash: hashOf(byte(i))}, now)
		u.giveUp(now.Add(time.Duration(i) * time.Second))
	}
	if _, first := u.avoided[hashOf(0)]; first || len(u.avoided) != maxAvoided {
		t.Errorf("%d are avoided, of the first %v", len(u.avoided), first)
	}
}
