//go:build unix

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"
)

// questions are what the wallet is asked.
var questions = []string{"balance", "history", "utxos", "tickets"}

// answers are what it says, by question.
type answers map[string]string

// patience is how long a command may take on a busy machine: what takes longer hangs.
const patience = 2 * time.Minute

// errLine: a command has failed, with one clear line.
var errLine = errors.New("clear")

// call runs dcrspv on a data directory. An errLine is a failure as it should be; any
// other error is a fault.
func (w *world) call(ctx context.Context, dir string, args ...string) (stdout string, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	cmd := w.command(ctx, dir, args...)
	var out, problems bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problems
	err = cmd.Run()
	return out.String(), w.judge(ctx, args[0], err, problems.String())
}

// command is dcrspv on a data directory, with the peers to sync from.
func (w *world) command(ctx context.Context, dir string, args ...string) *exec.Cmd {
	args = append([]string{"--network", "simnet", "--datadir", dir, "--no-relay"}, args...)
	for _, addr := range w.addrs {
		args = append(args, "--connect", addr)
	}
	return exec.CommandContext(ctx, w.program, args...)
}

// judge tells a clear failure from a fault.
func (w *world) judge(ctx context.Context, what string, err error, text string) error {
	var exit *exec.ExitError
	lines := strings.Split(strings.TrimSpace(text), "\n")
	last := lines[len(lines)-1]
	for _, word := range []string{"panic", "goroutine ", "runtime error", "fatal error", "SIGBUS", "SIGSEGV"} {
		if strings.Contains(text, word) {
			return fmt.Errorf("%s says %q: %s", what, word, text)
		}
	}
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("%s hangs: %s", what, text)
	case !errors.As(err, &exit):
		return err
	case exit.ExitCode() != 1 || strings.Count(text, "dcrspv: ") != 1 || !strings.HasPrefix(last, "dcrspv: "):
		return fmt.Errorf("%s ends with %d: %s", what, exit.ExitCode(), text)
	}
	return fmt.Errorf("%w: %s", errLine, last)
}

// must is a command that has to work.
func (w *world) must(ctx context.Context, dir string, args ...string) error {
	_, err := w.call(ctx, dir, args...)
	if err != nil {
		return fmt.Errorf("%s: %w", args[0], err)
	}
	return nil
}

// answers asks all the questions. The error is the first failure; what was answered
// nevertheless is there.
func (w *world) answers(ctx context.Context, dir string) (answers, error) {
	all, first := make(answers), error(nil)
	for _, q := range questions {
		text, err := w.call(ctx, dir, q, "--json")
		switch {
		case err == nil:
			all[q] = text
		case !errors.Is(err, errLine):
			return all, err
		case first == nil:
			first = err
		}
	}
	return all, first
}

// differs tells the first answer that is given and is none of those allowed.
func (a answers) differs(allowed ...answers) error {
	for _, q := range questions {
		text, ok := a[q]
		for _, want := range allowed {
			ok = ok && text != want[q]
		}
		if ok {
			return fmt.Errorf("%s is wrong: %s", q, text)
		}
	}
	return nil
}
