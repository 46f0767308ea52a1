package filters

import (
	"math/rand/v2"
	"testing"
)

// A union matches what one of its queries does, and nothing else.
func TestUnion(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	var m Matcher
	for round := range 2000 {
		key := [16]byte(randomBytes(rng, 16))
		inBlock := randomScripts(rng, 1+rng.IntN(100))
		filter := dcrdFilter(t, key, inBlock)
		var queries []*Query
		want, scripts := false, 0
		for range rng.IntN(6) {
			wanted := randomScripts(rng, rng.IntN(40))
			if rng.IntN(8) == 0 {
				wanted = append(wanted, inBlock[rng.IntN(len(inBlock))])
			}
			q := NewQuery(wanted)
			match, err := m.Match(q, key, filter)
			if err != nil {
				t.Fatal(err)
			}
			queries, want, scripts = append(queries, q), want || match, scripts+q.Len()
		}
		union := Union(queries...)
		got, err := m.Match(union, key, filter)
		if err != nil || got != want || union.Len() != scripts {
			t.Fatalf("round %d: %v, %v with %d scripts, want %v with %d", round, got, err, union.Len(), want, scripts)
		}
	}
}

func BenchmarkUnion(b *testing.B) {
	rng := rand.New(rand.NewPCG(5, 6))
	var queries []*Query
	for range 1000 {
		queries = append(queries, NewQuery(randomScripts(rng, 20)))
	}
	b.ReportAllocs()
	for b.Loop() {
		Union(queries...)
	}
}
