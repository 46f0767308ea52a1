// Command stress runs the tests of each package again and again under the three
// conditions in which a test that leans on real time, or on the order of
// goroutines, fails: on a machine that is ten times overcommitted, on one
// processor, and with the race detector.
//
// A shard is one package in one mode (shard.go). What has passed is written down
// (state.go), so a run that was ended goes on where it stood, and only the
// shards whose test binary has changed begin again.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

const usage = `Usage: stress [flags] [packages]

Runs the tests of each package (./... if none is named) repeatedly:

  load    ten times as many copies of the tests at once as there are processors,
          each of them a round; at least as many rounds as copies
  single  on one processor (GOMAXPROCS=1), one copy for each processor at a time
  race    with the race detector, one copy for each processor at a time

What passed is kept in the state file, and a rerun goes on from there. A package
whose test binary has changed begins again, and so does what failed. Files that
tests read at run time, such as testdata, are not part of the binary.

cmd/dcrspv/realnodes is left out unless it is named: it runs real nodes, whose
time-outs are real, so an overcommitted machine makes it fail rightly.

Flags:
`

// options are the flags.
type options struct {
	mode     string
	rounds   int
	length   time.Duration
	seed     uint64
	state    string
	packages []string
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout))
}

// run is the whole program. It returns the exit status: 2 for wrong usage, 1 for
// what failed or was interrupted.
func run(ctx context.Context, args []string, out io.Writer) int {
	o, err := parse(args, out)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		return 2
	}
	if err := stress(ctx, o, out); err != nil {
		fmt.Fprintln(out, "stress:", err)
		return 1
	}
	return 0
}

// parse reads the flags. It has told of an error itself, as package flag does.
func parse(args []string, out io.Writer) (*options, error) {
	o := new(options)
	fs := flag.NewFlagSet("stress", flag.ContinueOnError)
	fs.SetOutput(out)
	fs.Usage = func() {
		fmt.Fprint(out, usage)
		fs.PrintDefaults()
	}
	fs.StringVar(&o.mode, "mode", "all", "load, single, race or all")
	fs.IntVar(&o.rounds, "rounds", 10, "how often each shard has to pass")
	fs.DurationVar(&o.length, "for", 0, "end after this time; rounds that run then do not count (default no limit)")
	fs.Uint64Var(&o.seed, "seed", 0, "shuffles the order of the shards")
	fs.StringVar(&o.state, "state", "", "file that keeps what has passed (default dcrspv-stress.json in the user's cache directory)")
	if err := fs.Parse(args); err != nil {
		return nil, err
	}
	o.packages = fs.Args()
	if len(o.packages) == 0 {
		o.packages = []string{"./..."}
	}
	err := o.check()
	if err != nil {
		fmt.Fprintln(out, "stress:", err)
	}
	return o, err
}

func (o *options) check() error {
	if o.mode != "all" && !slices.ContainsFunc(modes(), func(m mode) bool { return m.name == o.mode }) {
		return fmt.Errorf("--mode %s: load, single, race or all", o.mode)
	}
	if o.rounds < 1 || o.length < 0 {
		return errors.New("--rounds and --for must be positive")
	}
	if o.state == "" {
		dir, err := os.UserCacheDir()
		if err != nil {
			return fmt.Errorf("%w; give --state", err)
		}
		o.state = filepath.Join(dir, "dcrspv-stress.json")
	}
	return nil
}

// stress runs all shards, whatever happens in one of them, and then returns an
// error if one failed.
func stress(ctx context.Context, o *options, out io.Writer) error {
	shards, err := list(ctx, o)
	if err != nil {
		return err
	}
	state, err := openState(o.state)
	if err != nil {
		return err
	}
	work, err := os.MkdirTemp("", "dcrspv-stress-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	r := &runner{state: state, work: work}

	limited := ctx
	if o.length > 0 {
		var cancel context.CancelFunc
		limited, cancel = context.WithTimeout(ctx, o.length)
		defer cancel()
	}
	var whole, failed int
	for _, s := range shards {
		if limited.Err() != nil {
			break
		}
		start := time.Now()
		passed, err := r.run(limited, s)
		switch {
		case err == nil:
			whole++
		case !ended(err):
			failed++
			fmt.Fprintf(out, "FAIL %s: %v\n", s, err)
		}
		fmt.Fprintf(out, "%s: %d of %d rounds, %.1f s\n", s, passed, s.rounds, time.Since(start).Seconds())
	}
	fmt.Fprintf(out, "%d shards passed, %d failed, %d are not finished\n", whole, failed, len(shards)-whole-failed)
	if failed > 0 {
		return errors.New("tests failed")
	}
	return ctx.Err()
}

// list returns the shards of all packages that have tests, in the order of the
// seed.
func list(ctx context.Context, o *options) ([]shard, error) {
	args := []string{"list", "-f", "{{if or .TestGoFiles .XTestGoFiles}}{{.ImportPath}}\t{{.Dir}}{{end}}", "--"}
	cmd := exec.CommandContext(ctx, "go", append(args, o.packages...)...)
	cmd.Stderr = os.Stderr
	listed, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	named := strings.Contains(strings.Join(o.packages, " "), "realnodes")
	var shards []shard
	for line := range strings.Lines(string(listed)) {
		pkg, dir, found := strings.Cut(strings.TrimSpace(line), "\t")
		if !found || strings.HasSuffix(pkg, "cmd/dcrspv/realnodes") && !named {
			continue
		}
		for _, m := range modes() {
			if o.mode == m.name || o.mode == "all" {
				shards = append(shards, shard{pkg: pkg, dir: dir, mode: m, rounds: max(o.rounds, m.least)})
			}
		}
	}
	if len(shards) == 0 {
		return nil, errors.New("no package with tests")
	}
	shuffle(shards, o.seed)
	return shards, nil
}

// shuffle puts shards into the order of the seed.
func shuffle(shards []shard, seed uint64) {
	rand.New(rand.NewPCG(seed, 0)).Shuffle(len(shards), func(i, j int) { shards[i], shards[j] = shards[j], shards[i] })
}
