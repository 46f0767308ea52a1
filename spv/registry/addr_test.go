package registry

import (
	"errors"
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
		if key := banKey(in); keyHost(key) != keyHost(banKey(once)) {
			t.Fatalf("%q is banned as %q, %q as %q", in, key, once, banKey(once))
		}
	})
}
