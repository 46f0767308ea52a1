package filters

import (
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/decred/dcrd/gcs/v4"
	"github.com/decred/dcrd/gcs/v4/blockcf2"
)

// dcrdFilter makes a filter by dcrd's own code.
func dcrdFilter(tb testing.TB, key [16]byte, scripts [][]byte) []byte {
	tb.Helper()
	f, err := gcs.NewFilterV2(blockcf2.B, blockcf2.M, key, scripts)
	if err != nil {
		tb.Fatal(err)
	}
	return f.Bytes()
}

// dcrdMatch is dcrd's answer to the question Match answers. Empty scripts are
// left out, because MatchAny panics on them.
func dcrdMatch(tb testing.TB, key [16]byte, filter []byte, scripts [][]byte) bool {
	tb.Helper()
	f, err := gcs.FromBytesV2(blockcf2.B, blockcf2.M, filter)
	if err != nil {
		tb.Fatal(err)
	}
	var data [][]byte
	for _, s := range scripts {
		if len(s) > 0 {
			data = append(data, s)
		}
	}
	return f.MatchAny(key, data)
}

// randomScripts makes scripts of the usual lengths and some others.
func randomScripts(rng *rand.Rand, n int) [][]byte {
	lengths := []int{25, 25, 25, 23, 23, 35, 67, 0, 1, 7, 8, 9, 300}
	scripts := make([][]byte, n)
	for i := range scripts {
		scripts[i] = randomBytes(rng, lengths[rng.IntN(len(lengths))])
	}
	return scripts
}

// Rule 16.
func TestMatchAgainstDcrd(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	var m Matcher
	matched := 0
	for round := range 3000 {
		key := [16]byte(randomBytes(rng, 16))
		inBlock := randomScripts(rng, rng.IntN(200))
		wanted := randomScripts(rng, rng.IntN(60))
		if len(inBlock) > 0 && round%2 == 0 {
			wanted = append(wanted, inBlock[rng.IntN(len(inBlock))])
		}
		rng.Shuffle(len(wanted), func(i, j int) { wanted[i], wanted[j] = wanted[j], wanted[i] })
		filter := dcrdFilter(t, key, inBlock)
		want := dcrdMatch(t, key, filter, wanted)
		for _, k := range kernels() {
			got, err := m.match(k, NewQuery(wanted), key, filter)
			if err != nil || got != want {
				t.Fatalf("round %d, %v: got %v, %v, dcrd says %v", round, k, got, err, want)
			}
		}
		if want {
			matched++
		}
	}
	if matched < 1000 || matched > 2000 {
		t.Fatalf("%d of 3000 rounds matched: the test proves nothing", matched)
	}
}

// TestMatchFalsePositives uses so many scripts that values collide, which pins
// the false positives: they must be dcrd's exactly.
func TestMatchFalsePositives(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	wanted := make([][]byte, 20000)
	for i := range wanted {
		wanted[i] = randomBytes(rng, 25)
	}
	q := NewQuery(wanted)
	var m Matcher
	matched := 0
	for range 200 {
		key := [16]byte(randomBytes(rng, 16))
		filter := dcrdFilter(t, key, randomScripts(rng, 100))
		want := dcrdMatch(t, key, filter, wanted)
		for _, k := range kernels() {
			got, err := m.match(k, q, key, filter)
			if err != nil || got != want {
				t.Fatalf("%v: got %v, %v, dcrd says %v", k, got, err, want)
			}
		}
		if want {
			matched++
		}
	}
	if matched == 0 || matched == 200 {
		t.Fatalf("%d of 200 matched by chance: expected a few", matched)
	}
}

// TestMatchLargeFilter has more values than the assembly scales to.
func TestMatchLargeFilter(t *testing.T) {
	rng := rand.New(rand.NewPCG(17, 18))
	key := [16]byte{7}
	inBlock := make([][]byte, 6000)
	for i := range inBlock {
		inBlock[i] = randomBytes(rng, 25)
	}
	filter := dcrdFilter(t, key, inBlock)
	wanted := make([][]byte, 999)
	for i := range wanted {
		wanted[i] = randomBytes(rng, 25)
	}
	var m Matcher
	for _, scripts := range [][][]byte{wanted, append(wanted, inBlock[3000])} {
		want := dcrdMatch(t, key, filter, scripts)
		for _, k := range kernels() {
			if got, err := m.match(k, NewQuery(scripts), key, filter); err != nil || got != want {
				t.Fatalf("%v: got %v, %v, dcrd says %v", k, got, err, want)
			}
		}
	}
}

func TestMatchEdges(t *testing.T) {
	key := [16]byte{1, 2, 3}
	script := []byte("a script")
	one := dcrdFilter(t, key, [][]byte{script})
	otherKey := key
	otherKey[15]++
	tests := []struct {
		name    string
		key     [16]byte
		filter  []byte
		scripts [][]byte
		want    bool
	}{
		{"empty filter", key, nil, [][]byte{script}, false},
		{"filter of no values", key, []byte{0}, [][]byte{script}, false},
		{"no scripts", key, one, nil, false},
		{"only empty scripts", key, one, [][]byte{nil, {}}, false},
		{"the script", key, one, [][]byte{nil, script, script}, true},
		{"another script", key, one, [][]byte{[]byte("b script")}, false},
		{"another block", otherKey, one, [][]byte{script}, false},
	}
	var m Matcher
	for _, test := range tests {
		got, err := m.Match(NewQuery(test.scripts), test.key, test.filter)
		if err != nil || got != test.want {
			t.Errorf("%s: got %v, %v, want %v", test.name, got, err, test.want)
		}
	}
}

// Rule 21.
func TestMatchMalformed(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	key := [16]byte{9}
	good := dcrdFilter(t, key, randomScripts(rng, 300))
	tests := map[string][]byte{
		"count cut off":          {0xfd, 0x00},
		"count not shortest":     append([]byte{0xfd, 0x03, 0x00}, good[3:]...),
		"count beyond memory":    {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3},
		"count without values":   {5},
		"values cut off":         good[:len(good)-10],
		"one value, all ones":    {1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
		"one value, far too big": {1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0},
	}
	var m Matcher
	q := NewQuery([][]byte{{1}})
	for name, filter := range tests {
		for _, k := range kernels() {
			got, err := m.match(k, q, key, filter)
			if got || !errors.Is(err, ErrFilter) {
				t.Errorf("%s, %v: got %v, %v", name, k, got, err)
			}
		}
	}
	if _, err := m.Match(q, key, good); err != nil {
		t.Errorf("the good filter, after bad ones: %v", err)
	}
}

func TestMatchAllocatesNothing(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 10))
	key := [16]byte{9}
	filter := dcrdFilter(t, key, randomScripts(rng, 300))
	q := NewQuery(randomScripts(rng, 500))
	var m Matcher
	allocs := testing.AllocsPerRun(100, func() {
		if _, err := m.Match(q, key, filter); err != nil {
			t.Fatal(err)
		}
	})
	if allocs != 0 {
		t.Fatalf("%v allocations", allocs)
	}
}

func TestQuery(t *testing.T) {
	scripts := [][]byte{{1, 2}, nil, {1}, {1, 2}, make([]byte, 30), {}, {1, 2, 0}}
	q := NewQuery(scripts)
	if q.Len() != 4 {
		t.Fatalf("%d scripts, want 4", q.Len())
	}
	if NewQuery(nil).Len() != 0 {
		t.Fatal("a query of nothing is not empty")
	}
	// The query keeps its own copy.
	key := [16]byte{1}
	filter := dcrdFilter(t, key, [][]byte{{1, 2}})
	scripts[0][0], scripts[3][0] = 9, 9
	if got, err := new(Matcher).Match(q, key, filter); !got || err != nil {
		t.Fatalf("got %v, %v", got, err)
	}
}
