package peer

import (
	"strings"
	"unicode"

	"github.com/decred/dcrd/wire"
)

// UserAgent returns what our version message says of a program: the wire package's
// own user agent, and then the name and version, unless the name is empty. What a
// message can't hold, being too long or not ASCII, is an error, and is left out.
func UserAgent(name, version string) (string, error) {
	msg := wire.MsgVersion{UserAgent: wire.DefaultUserAgent}
	if name == "" {
		return msg.UserAgent, nil
	}
	err := msg.AddUserAgent(name, version)
	return msg.UserAgent, err
}

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
