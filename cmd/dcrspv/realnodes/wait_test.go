package realnodes

import (
	"context"
	"testing"
	"time"
)

const (
	// patience bounds every wait for another process.
	patience = 60 * time.Second
	askEvery = 50 * time.Millisecond
)

// until calls done again and again. It reports whether done did before ctx
// ended.
func until(ctx context.Context, every time.Duration, done func() bool) bool {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return false
		}
	}
	return true
}

// eventually waits until done reports true; what names the thing waited for.
// Other processes give no signal to wait on, so it asks again and again.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if !until(ctx, askEvery, done) {
		t.Fatalf("not within %v: %s", patience, what)
	}
}
