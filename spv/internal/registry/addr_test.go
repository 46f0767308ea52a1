package registry

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func TestNormalizeAddr(t *testing.T) {
	for in, want := range map[string]string{
		"192.0.2.1":                    "192.0.2.1:9108",
		"192.0.2.1:19108":              "192.0.2.1:19108",
		" 192.0.2.1:00042 ":            "192.0.2.1:42",
		"[::ffff:192.0.2.1]:1":         "192.0.2.1:1",
		"::1":                          "[::1]:9108",
		"[2001:DB8:0::1]":              "[2001:db8::1]:9108",
		"[2001:db8:0:0:0:0:0:1]:65535": "[2001:db8::1]:65535",
		"Node.Example.ORG.":            "node.example.org:9108",
		"localhost:1":                  "localhost:1",
		"abc2_x-y.onion:9108":          "abc2_x-y.onion:9108",

		"": "", ":9108": "", "192.0.2.1:0": "", "192.0.2.1:65536": "", "192.0.2.1:-1": "", "192.0.2.1:x": "",
		"a b:1": "", "a/b": "", "a\x1b[m:1": "", "0.0.0.0:1": "", "[::]:1": "", "host:1:2": "", "..": "", "[fe80::1%eth0]:1": "", "[::ffff:0.0.0.0]:1": "", "a..b": "", ".a:1": "", "a!b:1": "",
		"[]": "", "[]:1": "", "[a": "", "a]": "", "192.0.2.1:": "",
		// No names: they would be looked up, or read as an address by some resolvers.
		"999.1.1.1.:1": "", "192.0.2.1.:1": "", "0.0.0.0.:9108": "", "::.:9108": "", "127.1:1": "", "7": "",
		strings.Repeat("long.", 51) + "org:1": "",
	} {
		got, err := NormalizeAddr(in, "9108")
		if got != want || (err != nil) != (want == "") || err != nil && !errors.Is(err, ErrAddress) {
			t.Errorf("%q becomes %q, %v; want %q", in, got, err, want)
		}
	}
}

func FuzzNormalizeAddr(f *testing.F) {
	f.Add("[::ffff:192.0.2.1%eth0]:1")
	f.Add("a..b:1")
	f.Fuzz(func(t *testing.T, in string) {
		once, err := NormalizeAddr(in, "9108")
		if err != nil {
			return
		}
		twice, err := NormalizeAddr(once, "")
		if err != nil || once != twice {
			t.Fatalf("%q becomes %q, then %q, %v", in, once, twice, err)
		}
		key, err1 := banKey(in)
		again, err2 := banKey(once)
		if err1 != nil || err2 != nil || keyHost(key) != keyHost(again) {
			t.Fatalf("%q is banned as %q, %v; %q as %q, %v", in, key, err1, once, again, err2)
		}
	})
}

// strange are hosts that have been, or might be, taken by one door and refused by
// another.
var strange = []string{
	"", " ", "[]", "[", "]", "[[::1]]", "a b", "a\x00b", "\xff", "::", "0.0.0.0", "x/y", "999.1.1.1.", "0.0.0.0.",
	"1.2.3.4.", "0.0.0.0.:9108", "::.:9108", "1.2.3.4.:9108", "[::1%eth0]:9108", "[::ffff:1.2.3.4]:1",
	"[::ffff:0:0]:9108", "::ffff:1.2.3.4", "LOCALHOST", "localhost.", "localhost:0", "localhost:", ":1", "\u212aelvin:1",
	"127.0.0.1", "127.0.0.1:1", "127.1:1", "203.0.113.7", "node.example:9108", "node.example", "abcdefghij234567.onion:1",
}

// tellAll hands a string to everything that takes an address, and sees that what
// was not refused is still there after saving and loading.
func tellAll(t *testing.T, s string) {
	t.Helper()
	r := New(Options{}, rand.New(rand.NewPCG(1, 2)))
	wantNamed := func(what string, err error) {
		t.Helper()
		if err != nil && (!errors.Is(err, ErrAddress) || !strings.Contains(err.Error(), strings.Trim(strconv.Quote(s), `"`))) {
			t.Errorf("%s %q: %v", what, s, err)
		}
	}
	errAdd := r.Add(s, true, t0)
	wantNamed("adding", errAdd)
	wantNamed("resetting", r.Reset(s))
	wantNamed("lifting the ban of", r.Unban(s))
	r.Dialing(s, t0)
	r.Connected(s, Info{UserAgent: s}, t0)
	r.Strike(s, Protocol, errors.New(s), t0)
	for kind := range numKinds {
		r.Success(s, kind, 1, t0)
		r.Delivered(s, kind, 1, 1, t0)
		r.Failure(s, kind, 0, errors.New(s), t0)
		r.Incomplete(s, kind, errors.New(s), t0)
	}
	r.Validated(s, 1, t0)
	r.ClaimFailed(s, t0)
	r.SentHeaders(s)
	r.Disconnected(s, errors.New(s), t0)
	r.DialFailed(s, errors.New(s), t0)
	r.GroupTaken(s)
	errBan := r.Ban(s, t0)
	wantNamed("banning", errBan)
	if errAdd == nil && errBan != nil {
		t.Errorf("%q can be added and not banned: %v", s, errBan)
	}
	loaded := reload(t, r, t0)
	if was, is := len(r.List(t0)), len(loaded.List(t0)); was != is {
		t.Errorf("%q: %d peers and bans of %d are loaded", s, is, was)
	}
	if loaded.Banned(s, t0) != (errBan == nil) || r.Banned(s, t0) != (errBan == nil) {
		t.Errorf("%q: banned %v, after loading %v; banning it: %v", s, r.Banned(s, t0), loaded.Banned(s, t0), errBan)
	}
	normal, err := NormalizeAddr(s, "")
	if (err == nil) != (errAdd == nil) || err == nil && !loaded.Known(normal) {
		t.Errorf("%q is %q, %v; adding it: %v", s, normal, err, errAdd)
	}
}

// Nothing that is handed in makes a file that can't be loaded.
func TestWhatIsTakenCanBeLoaded(t *testing.T) {
	for _, s := range strange {
		tellAll(t, s)
	}
	rng := rand.New(rand.NewPCG(5, 6))
	const odd = ".:[]%01aA é\x00"
	for range 3000 {
		s := []rune(strange[rng.IntN(len(strange))] + strange[rng.IntN(len(strange))])
		for range rng.IntN(4) {
			s = slices.Insert(s, rng.IntN(len(s)+1), rune(odd[rng.IntN(len(odd))]))
		}
		tellAll(t, string(s))
	}
}

func FuzzWhatIsTakenCanBeLoaded(f *testing.F) {
	for _, s := range strange {
		f.Add(s)
	}
	f.Fuzz(tellAll)
}
