package spv

import (
	"errors"
	"testing"
	"time"

	"dcrspv/spv/internal/peer"
	"dcrspv/spv/internal/registry"
)

// Silence and the end of a connection from before we stood still are put down to
// that for a minute, and nothing else is.
// Rule 23.
func TestOnlyWhatAwayExplainsIsExcused(t *testing.T) {
	returned := time.Unix(1_700_000_000, 0)
	before, after := &session{since: returned.Add(-time.Minute)}, &session{since: returned.Add(time.Second)}
	for _, c := range []struct {
		name  string
		s     *session
		later time.Duration
		err   error
		want  bool
	}{
		{"silence", before, time.Second, peer.ErrStalled, true},
		{"no pong", before, time.Second, peer.ErrTimeout, true},
		{"it hung up", before, time.Second, peer.ErrClosed, true},
		{"not found", before, time.Second, peer.ErrNotFound, false},
		{"a fault", before, time.Second, peer.ErrProtocol, false},
		{"a new connection", after, 2 * time.Second, peer.ErrStalled, false},
		{"long ago", before, time.Hour, peer.ErrStalled, false},
	} {
		e := &engine{loop: &loop{now: returned.Add(c.later)}, away: away{returned: returned}}
		err := e.excused(c.s, c.err)
		if errors.Is(err, registry.ErrAway) != c.want || !errors.Is(err, c.err) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
