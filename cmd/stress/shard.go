package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
)

// shownLines is how much of the output of a failed round is printed.
const shownLines = 40

// mode is a condition under which tests have to pass.
type mode struct {
	name   string
	copies int // that run at once
	least  int // rounds, however few are asked for
	race   bool
	env    []string
}

func modes() []mode {
	cpus := runtime.NumCPU()
	return []mode{
		{name: "load", copies: 10 * cpus, least: 10 * cpus},
		{name: "single", copies: cpus, env: []string{"GOMAXPROCS=1"}},
		{name: "race", copies: cpus, race: true},
	}
}

// shard is one package in one mode.
type shard struct {
	pkg, dir string
	mode     mode
	rounds   int // that have to pass
}

func (s shard) String() string { return s.pkg + " " + s.mode.name }

// missing returns how many rounds are to be run after passed ones. Under load
// these are whole multiples of the copies, or the last ones would have no load.
func (s shard) missing(passed int) int {
	n := max(0, s.rounds-passed)
	if s.mode.least > 0 {
		n = (n + s.mode.copies - 1) / s.mode.copies * s.mode.copies
	}
	return n
}

// runner runs shards. Its goroutine alone touches the state.
type runner struct {
	state *state
	work  string // directory for binaries and for the files of tests
}

// run does the rounds of a shard that are missing, and returns how many have
// passed, earlier runs included. The first failure ends those that run beside
// it. A failed shard begins again the next time: rounds that pass by luck do
// not add up.
func (r *runner) run(ctx context.Context, s shard) (passed int, err error) {
	binary, sum, err := r.build(ctx, s)
	if err != nil {
		return 0, err
	}
	passed = r.state.passed(s.String(), sum)
	earlier, missing := passed, s.missing(passed)

	running, cancel := context.WithCancel(ctx)
	defer cancel()
	results := make(chan error)
	go func() {
		defer close(results)
		var g errgroup.Group
		g.SetLimit(s.mode.copies)
		for i := 0; i < missing && running.Err() == nil; i++ {
			g.Go(func() error {
				results <- r.round(running, s, binary, earlier+i+1)
				return nil
			})
		}
		_ = g.Wait() // the results are in the channel
	}()
	var failures error
	for err := range results {
		if err == nil {
			passed++
			err = r.state.put(s.String(), record{SHA256: sum, Passed: passed})
		}
		if err != nil && !ended(err) {
			failures = errors.Join(failures, err)
			cancel()
		}
	}
	switch {
	case failures != nil:
		return passed, errors.Join(failures, r.state.put(s.String(), record{SHA256: sum}))
	case passed < s.rounds:
		return passed, ctx.Err()
	}
	return passed, nil
}

// ended tells an interruption, or the end of the time, from a failure.
func ended(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// build makes the test binary of a shard and returns its name and its hash.
// Modes that need the same binary share it.
func (r *runner) build(ctx context.Context, s shard) (binary, sum string, err error) {
	binary = filepath.Join(r.work, strings.ReplaceAll(s.pkg, "/", "-")+".test")
	// Without paths and the state of the repository the same sources make the
	// same binary everywhere.
	args := []string{"test", "-c", "-trimpath", "-buildvcs=false"}
	if s.mode.race {
		binary += ".race"
		args = append(args, "-race")
	}
	if runtime.GOOS == "windows" {
		binary += ".exe"
	}
	if _, err := os.Stat(binary); err != nil {
		cmd := exec.CommandContext(ctx, "go", append(args, "-o", binary, s.pkg)...)
		cmd.Dir = s.dir
		printed, err := cmd.CombinedOutput()
		if ctx.Err() != nil {
			return "", "", ctx.Err()
		}
		if err != nil {
			return "", "", fmt.Errorf("building the tests: %w\n%s", err, printed)
		}
	}
	data, err := os.ReadFile(binary)
	if err != nil {
		return "", "", err
	}
	hash := sha256.Sum256(data)
	return binary, hex.EncodeToString(hash[:]), nil
}

// round runs the binary once. Its error shows the end of what the tests printed,
// and names the file with all of it.
func (r *runner) round(ctx context.Context, s shard, binary string, number int) error {
	// Tests that are ended leave their files behind.
	temp, err := os.MkdirTemp(r.work, "round-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp)
	output, err := os.CreateTemp("", "dcrspv-stress-*.txt")
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, binary, "-test.paniconexit0", "-test.timeout=60m")
	cmd.Dir = s.dir
	cmd.Env = slices.Concat(os.Environ(), s.mode.env, []string{"TMPDIR=" + temp, "TMP=" + temp, "TEMP=" + temp})
	cmd.Stdout, cmd.Stderr = output, output
	ownGroup(cmd)
	err = cmd.Run()
	output.Close()
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	if err == nil || ended(err) {
		os.Remove(output.Name())
		return err
	}
	data, unread := os.ReadFile(output.Name())
	if unread != nil {
		return unread
	}
	return fmt.Errorf("round %d: %w\n%s\nall of the output: %s", number, err, tail(string(data)), output.Name())
}

// tail returns the last lines of a text.
func tail(text string) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-shownLines):], "\n")
}
