package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"time"

	"dcrspv/spv"
)

// The exit statuses.
const (
	statusDone      = 0
	statusFailed    = 1
	statusUsage     = 2
	statusNotSynced = 3
)

// program is the command with everything it takes from outside. It runs once.
type program struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	terminal       bool // stderr can show bars
	signals        <-chan os.Signal
	configDir      func() (string, error)
	homeDir        func() (string, error)
	now            func() time.Time
	dial           spv.DialFunc // reaches peers; nil is TCP
	force          func()       // ends the process at once: the second Ctrl-C
	demo           demoSize

	opts options  // the flags
	set  settings // the flags, checked
	args []string // what follows the command's name

	// The flags of single commands.
	watch   watchFlags
	history historyFlags
	address addressFlags
	span    rangeFlags // of rescan

	warnedOfExposed bool // see warnOfExposed
}

// run does what the arguments say and returns the exit status. It never
// panics for bad input and prints at most one line about a failure.
func (p *program) run(args []string) int {
	over, end := context.WithCancel(context.Background())
	defer end()
	ctx, cancel := context.WithCancel(over)
	defer cancel()
	if p.signals != nil {
		go p.watchSignals(over, cancel)
	}
	p.stderr = &heard{p.stderr, cancel}
	err := p.dispatch(ctx, args)
	switch {
	case err == nil:
		return statusDone
	case errors.Is(err, syscall.EPIPE):
		return statusFailed // whoever has read the output has enough of it, as head has
	}
	f := userError(err)
	fmt.Fprintln(p.stderr, "dcrspv: "+f.line())
	return f.status
}

// watchSignals turns the first signal into a cancel, and the second into the
// end of the process, until run is over. A terminal that is closed hangs up twice, by the
// system and by the shell.
func (p *program) watchSignals(over context.Context, cancel context.CancelFunc) {
	ending := false
	for {
		select {
		case signal := <-p.signals:
			switch {
			case !ending:
				ending = true
				cancel()
			case signal != syscall.SIGHUP:
				p.force()
				return
			}
		case <-over.Done():
			return
		}
	}
}

// heard is an output that somebody has to read: when nobody does any more the program
// ends as it does when it is interrupted. That there is no room for it, in a file, is
// another matter.
type heard struct {
	io.Writer
	gone func()
}

// Write implements io.Writer.
func (h *heard) Write(b []byte) (int, error) {
	n, err := h.Writer.Write(b)
	if errors.Is(err, syscall.EPIPE) {
		h.gone()
	}
	return n, err
}

// dispatch parses the arguments and runs the command.
func (p *program) dispatch(ctx context.Context, args []string) error {
	cmd, err := p.parse(args)
	switch {
	case err != nil:
		return err
	case p.opts.Help:
		return p.writeHelp(cmd)
	case p.opts.Version:
		return p.runVersion(ctx)
	}
	if !cmd.bare {
		if p.set, err = p.settings(cmd); err != nil {
			return err
		}
	}
	if err := cmd.checkArgs(p.args); err != nil {
		return err
	}
	return cmd.run(p, ctx)
}
