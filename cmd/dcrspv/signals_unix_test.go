//go:build !windows

package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"dcrspv/spv/spvtest"
)

// asProgram in the environment makes the test binary the program itself.
const asProgram = "DCRSPV_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	os.Exit(m.Run())
}

// process is the program as a process of its own.
type process struct {
	*exec.Cmd
	t      *testing.T
	stdout bytes.Buffer
	stderr io.ReadCloser
	lines  *bufio.Scanner // of stderr
}

// process starts a command, in a shell that has done something before.
func (n *testNetwork) process(before string, args ...string) *process {
	n.t.Helper()
	args = append([]string{"-c", before + ` exec "$0" "$@"`, os.Args[0]}, n.args(args...)...)
	p := &process{Cmd: exec.CommandContext(n.t.Context(), "sh", args...), t: n.t}
	p.Env = append(os.Environ(), asProgram+"=1")
	p.Stdout = &p.stdout
	var err error
	if p.stderr, err = p.StderrPipe(); err != nil {
		n.t.Fatal(err)
	}
	if err := p.Start(); err != nil {
		n.t.Fatal(err)
	}
	p.lines = bufio.NewScanner(p.stderr)
	return p
}

// wait reads until a line on standard error has a text.
func (p *process) wait(text string) {
	p.t.Helper()
	for p.lines.Scan() {
		if strings.Contains(p.lines.Text(), text) {
			return
		}
	}
	p.t.Fatalf("standard error ended without %q", text)
}

// end returns the exit status, -1 after a signal.
func (p *process) end() int {
	var exit *exec.ExitError
	if err := p.Cmd.Wait(); err != nil && !errors.As(err, &exit) {
		p.t.Fatal(err)
	}
	return p.ProcessState.ExitCode()
}

// mineOne has the peers announce a block, and returns its height.
func (n *testNetwork) mineOne(c *spvtest.Chain) *spvtest.Chain {
	c = c.Fork(c.Height())
	c.Mine(1)
	for _, p := range n.peers {
		p.SetChain(c)
	}
	return c
}

// wantOrderly checks that a run has ended as it should.
func (n *testNetwork) wantOrderly(p *process, height uint32) {
	n.t.Helper()
	if status := p.end(); status != statusDone || p.stdout.String() != fmt.Sprintf("Stopped at block %d\n", height) {
		n.t.Errorf("status %d: %q", status, &p.stdout)
	}
	if _, err := os.Stat(filepath.Join(n.dir, "simnet", "chain.db")); err != nil {
		n.t.Error(err)
	}
	n.dcrspv("verify")
}

// TestSignals: each signal that asks the program to end has it end in good order.
func TestSignals(t *testing.T) {
	n := newTestNetwork(t, 1)
	height := n.demo.chain.Height()
	for _, sig := range []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP} {
		if signal.Ignored(sig) && sig == syscall.SIGHUP {
			continue // the tests themselves run under nohup
		}
		p := n.process("", "run")
		p.wait(fmt.Sprintf("synced      block %d", height))
		if err := p.Process.Signal(sig); err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, p.stderr)
		n.wantOrderly(p, height)
	}
}

// TestNohup: a program that was started not to end when the terminal does goes on.
func TestNohup(t *testing.T) {
	n := newTestNetwork(t, 1)
	p := n.process(`trap "" HUP;`, "run")
	c := n.demo.chain
	p.wait(fmt.Sprintf("synced      block %d", c.Height()))
	p.Process.Signal(syscall.SIGHUP)
	c = n.mineOne(c)
	p.wait(fmt.Sprintf("synced      block %d", c.Height()))
	p.Process.Signal(syscall.SIGTERM)
	io.Copy(io.Discard, p.stderr)
	n.wantOrderly(p, c.Height())
}

// TestNobodyReads: when whoever has read standard error is gone, run ends in good order
// with the next line. When it is standard output, nothing is said.
func TestNobodyReads(t *testing.T) {
	n := newTestNetwork(t, 1)
	p := n.process("", "run")
	c := n.demo.chain
	p.wait(fmt.Sprintf("synced      block %d", c.Height()))
	p.stderr.Close()
	c = n.mineOne(c)
	n.wantOrderly(p, c.Height())

	cmd := exec.CommandContext(t.Context(), os.Args[0], "--help")
	cmd.Env = append(os.Environ(), asProgram+"=1")
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	r.Close()
	var stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = w, &stderr
	var exit *exec.ExitError
	if err := cmd.Run(); !errors.As(err, &exit) || exit.ExitCode() != statusFailed || stderr.Len() > 0 {
		t.Errorf("%v: %q", err, &stderr)
	}
}

// TestHangUpForcesNothing: a terminal that is closed may say so twice.
func TestHangUpForcesNothing(t *testing.T) {
	n := newTestNetwork(t, 1)
	p, stdout, _ := n.program()
	signals := make(chan os.Signal, 2)
	p.signals = signals
	signals <- syscall.SIGHUP
	signals <- syscall.SIGHUP
	if status := p.run(n.args("run")); status != statusDone || !strings.HasPrefix(stdout.String(), "Stopped") {
		t.Errorf("status %d: %s", status, stdout)
	}
}
