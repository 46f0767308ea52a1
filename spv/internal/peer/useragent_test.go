package peer

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// Rule 21.
func TestUserAgent(t *testing.T) {
	const own = "/dcrwire:1.0.0/"
	for _, c := range []struct {
		name, version, want string
		fits                bool
	}{
		{"", "", own, true},
		{"", "1", own, true},
		{"mine", "2.3", own + "mine:2.3/", true},
		{"schön", "1", own, false},
		{strings.Repeat("x", 300), "1", own, false},
	} {
		if got, err := UserAgent(c.name, c.version); got != c.want || (err == nil) != c.fits {
			t.Errorf("%q %q: %q, %v, want %q", c.name, c.version, got, err, c.want)
		}
	}
}

// Rule 21.
func TestCleanUserAgent(t *testing.T) {
	for in, want := range map[string]string{
		"":                           "",
		"/dcrwire:1.0.0/dcrd:2.1.3/": "/dcrwire:1.0.0/dcrd:2.1.3/",
		"a\x1b[31mred\x1b[0m\r\n\tb": "a[31mred[0mb",
		"a\u202eb\u200bc\u0085d":     "abcd",
		"a\xff\xfeb":                 "ab",
		"schön":                      "schön",
		strings.Repeat("ö", 200):     strings.Repeat("ö", 128),
	} {
		if got := cleanUserAgent(in); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
}

// Rule 21.
func FuzzCleanUserAgent(f *testing.F) {
	f.Add("/dcrd:2.1.3/\x1b]0;title\x07")
	f.Add("\xed\xa0\x80\u2028")
	f.Fuzz(func(t *testing.T, in string) {
		out := cleanUserAgent(in)
		if !utf8.ValidString(out) || utf8.RuneCountInString(out) > maxUserAgent {
			t.Fatalf("%q becomes %q", in, out)
		}
		for _, c := range out {
			if !unicode.IsPrint(c) {
				t.Fatalf("%q keeps %U", in, c)
			}
		}
		if again := cleanUserAgent(out); again != out {
			t.Fatalf("cleaning twice changes %q to %q", out, again)
		}
	})
}
