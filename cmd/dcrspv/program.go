package main

import (
	"context"
	"fmt"
	"io"
	"os"
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

	exposedTold bool // see tellExposed
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
	err := p.dispatch(ctx, args)
	if err == nil {
		return statusDone
	}
	f := explain(err)
	fmt.Fprintln(p.stderr, "dcrspv: "+f.line())
	return f.status
}

// watchSignals turns the first interrupt into a cancel, and the second into the
// end of the process, until run is over.
func (p *program) watchSignals(over context.Context, cancel context.CancelFunc) {
	for _, act := range []func(){cancel, p.force} {
		select {
		case <-p.signals:
			act()
		case <-over.Done():
			return
		}
	}
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
