//go:build unix

// Command damage measures what becomes of damaged files. It has dcrspv sync a wallet from
// peers of its own on loopback, damages chain.db and wallet.db in thousands of ways (bits,
// pages, cuts, swaps, old copies of one of the two; while no program runs, and under a
// running one) and looks at what dcrspv then does: after each the answers are right, or
// there is one clear line that says what is wrong. Anything else is a fault, and is shown.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"syscall"
	"text/tabwriter"

	"golang.org/x/sync/errgroup"
)

const usage = `Usage: damage [flags]

Damages the files of dcrspv, each time in another way, and tells by class what
became of it. It has to be run in the module, as it builds dcrspv.

Flags:
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout))
}

// run is the whole program. It returns the exit status: 2 for wrong usage, 1 if it
// failed, was interrupted or has found a fault.
func run(ctx context.Context, args []string, out io.Writer) int {
	fs := flag.NewFlagSet("damage", flag.ContinueOnError)
	fs.SetOutput(out)
	fs.Usage = func() {
		fmt.Fprint(out, usage)
		fs.PrintDefaults()
	}
	n := fs.Int("n", 2000, "how often something is damaged")
	first := fs.Uint64("seed", 1, "of the first of them; each has the next one")
	jobs := fs.Int("jobs", 2, "how many at a time")
	only := fs.String("only", "", "the classes whose names begin so")
	switch err := fs.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return 2
	}
	classes := all
	if *only != "" {
		classes = slices.DeleteFunc(slices.Clone(all), func(c class) bool { return !strings.HasPrefix(c.name, *only) })
	}
	if len(classes) == 0 {
		fmt.Fprintf(out, "damage: no class %q\n", *only)
		return 2
	}
	w, err := newWorld(ctx)
	if err == nil {
		defer w.close()
		err = w.try(ctx, classes, *n, *first, *jobs, out)
	}
	if err != nil {
		fmt.Fprintln(out, "damage:", err)
		return 1
	}
	return 0
}

// outcome is what became of one damage.
type outcome string

const (
	right   outcome = "right"       // every answer
	said    outcome = "clear error" // and right once its advice was followed
	faulty  outcome = "FAULT"
	skipped outcome = "skipped" // nothing was damaged
)

// try damages something n times, the classes in turn, and prints what became of it.
func (w *world) try(ctx context.Context, classes []class, n int, first uint64, jobs int, out io.Writer) error {
	var mu sync.Mutex
	counts := make(map[string]map[outcome]int)
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(jobs)
	for i := range n {
		c, seed := classes[i%len(classes)], first+uint64(i)
		g.Go(func() error {
			o, why, err := w.one(ctx, c, seed)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				return fmt.Errorf("%s, seed %d: %w", c.name, seed, err)
			}
			if counts[c.name] == nil {
				counts[c.name] = make(map[outcome]int)
			}
			counts[c.name][o]++
			if o == faulty {
				fmt.Fprintf(out, "%s, seed %d: %s\n", c.name, seed, why)
			}
			return nil
		})
	}
	err := g.Wait()
	outcomes := []outcome{right, said, faulty, skipped}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "class\t%s\t%s\t%s\t%s\n", right, said, faulty, skipped)
	sum := make(map[outcome]int)
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		fmt.Fprintf(table, "%s", name)
		for _, o := range outcomes {
			fmt.Fprintf(table, "\t%d", counts[name][o])
			sum[o] += counts[name][o]
		}
		fmt.Fprintln(table)
	}
	fmt.Fprintf(table, "all\t%d\t%d\t%d\t%d\n", sum[right], sum[said], sum[faulty], sum[skipped])
	table.Flush()
	if err == nil && sum[faulty] > 0 {
		err = fmt.Errorf("%d faults", sum[faulty])
	}
	return err
}
