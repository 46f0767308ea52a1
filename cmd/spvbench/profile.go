package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// share is a part of the CPU time.
type share struct {
	Of      string
	Seconds float64
}

// parts say what a sample of a CPU profile counts for: the first whose words
// are in the name of the innermost function that any part knows. So memory that
// is taken while matching counts for matching, but the garbage collector's own
// goroutines for the collector.
var parts = []struct{ of, words string }{
	{"matching", "dcrspv/filters."},
	{"garbage collection", "runtime.gcBgMarkWorker"},
	{"proof of work, hashes", "blake"},
	{"header rules", "dcrspv/spv/chain."},
	{"chain file", "dcrspv/spv/internal/chaindb."},
	{"wallet", "dcrspv/wallet."},
	{"peers", "dcrspv/spv/internal/peer."},
	{"engine", "dcrspv/spv."},
}

// whereTimeGoes sums up a CPU profile by part, with the go command's pprof.
func whereTimeGoes(ctx context.Context, path string) ([]share, error) {
	out, err := exec.CommandContext(ctx, "go", "tool", "pprof", "-traces", path).Output()
	if err != nil {
		return nil, fmt.Errorf("go tool pprof -traces %s: %w", path, err)
	}
	return sumTraces(out), nil
}

// sumTraces reads pprof's stacks: between rulers, the first line of each begins
// with a duration, and functions follow from the innermost.
func sumTraces(out []byte) []share {
	sums := make(map[string]float64)
	var took time.Duration
	known, started := false, false
	lines := bufio.NewScanner(bytes.NewReader(out))
	lines.Buffer(nil, 1<<20)
	flush := func() {
		if took > 0 && !known {
			sums["scheduler and the rest"] += took.Seconds()
		}
		took, known = 0, false
	}
	for lines.Scan() {
		line := lines.Text()
		if strings.HasPrefix(line, "----") {
			flush()
			started = true
			continue
		}
		words := strings.Fields(line)
		if !started || len(words) == 0 {
			continue
		}
		if d, err := time.ParseDuration(words[0]); err == nil && len(words) > 1 {
			took, words = d, words[1:]
		}
		if of := partOf(words[0]); !known && of != "" {
			sums[of] += took.Seconds()
			known = true
		}
	}
	flush()
	var shares []share
	for of, seconds := range sums {
		shares = append(shares, share{of, seconds})
	}
	slices.SortFunc(shares, func(a, b share) int {
		if a.Seconds != b.Seconds {
			return int((b.Seconds - a.Seconds) * 1e6)
		}
		return strings.Compare(a.Of, b.Of)
	})
	return shares
}

func partOf(function string) string {
	for _, p := range parts {
		if strings.Contains(function, p.words) {
			return p.of
		}
	}
	return ""
}
