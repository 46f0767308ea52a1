// Command faults measures how well the tests find faults. In testdata there are
// patches, each of which puts one fault of a line or a few into the code, of the
// two kinds that no single test would have looked for: a peer decides how long a
// client is out of sync, or a punishment does not know its context. Each is
// applied by itself, in an overlay, and the test that it names has to fail: a siege
// (spv/liveness_test.go), which does not know the fault, where that finds it
// dependably, and otherwise the test of the rule that it breaks.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

const usage = `Usage: faults [flags] [names]

Puts the faults of cmd/faults/testdata into the code, or those named, one at a
time, and runs what finds them: sieges seed by seed until enough have found it.

Flags:
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout))
}

// run is the whole program. It returns the exit status: 2 for wrong usage, 1 for
// what failed, was interrupted or was not found.
func run(ctx context.Context, args []string, out io.Writer) int {
	h := new(hunt)
	fs := flag.NewFlagSet("faults", flag.ContinueOnError)
	fs.SetOutput(out)
	fs.Usage = func() {
		fmt.Fprint(out, usage)
		fs.PrintDefaults()
	}
	fs.Uint64Var(&h.seeds, "seeds", 24, "how many seeds of a siege are tried")
	fs.IntVar(&h.enough, "enough", 1, "how many of them have to find a fault")
	switch err := fs.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return 2
	}
	if err := h.all(ctx, fs.Args(), out); err != nil {
		fmt.Fprintln(out, "faults:", err)
		return 1
	}
	return 0
}

// all searches for every fault named, or for all.
func (h *hunt) all(ctx context.Context, names []string, out io.Writer) error {
	var err error
	if h.root, err = moduleRoot(ctx); err != nil {
		return err
	}
	faults, err := readFaults(filepath.Join(h.root, "cmd/faults/testdata"), names)
	if err != nil {
		return err
	}
	if h.work, err = os.MkdirTemp("", "dcrspv-faults-"); err != nil {
		return err
	}
	defer os.RemoveAll(h.work)
	missed := 0
	for _, f := range faults {
		r, err := h.search(ctx, f)
		if err != nil {
			return err
		}
		if len(r.found) == 0 {
			missed++
		}
		fmt.Fprintf(out, "%-30s %s %s: %v\n", f.name, f.pkg, f.tests, r)
	}
	if missed > 0 {
		return fmt.Errorf("%d of %d not found", missed, len(faults))
	}
	return nil
}

// moduleRoot is the directory of the module that the program is run in.
func moduleRoot(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return "", fmt.Errorf("go list: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}

// readFaults reads the patches of a directory: those named, or all.
func readFaults(dir string, names []string) (faults []*fault, err error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.patch"))
	if err != nil {
		return nil, err
	}
	for _, path := range paths {
		f, err := readFault(path)
		if err != nil {
			return nil, err
		}
		if len(names) == 0 || slices.Contains(names, f.name) {
			faults = append(faults, f)
		}
	}
	if len(faults) == 0 {
		return nil, fmt.Errorf("no such fault in %s", dir)
	}
	return faults, nil
}
