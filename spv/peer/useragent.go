package peer

import (
	"strings"
	"unicode"
)

// maxUserAgent is the length in characters that is kept of a user agent.
const maxUserAgent = 128

// cleanUserAgent returns the printable characters of a string that a stranger
// chose, at most 128 of them. Control characters, escapes, invisible and
// direction-changing characters and broken UTF-8 are left out, so that it can
// be logged and shown on a terminal.
func cleanUserAgent(s string) string {
	var b strings.Builder
	n := 0
	for _, c := range s {
		if n == maxUserAgent {
			break
		}
		if c == unicode.ReplacementChar || !unicode.IsPrint(c) {
			continue
		}
		b.WriteRune(c)
		n++
	}
	return b.String()
}
