// Command dcrspv is a light client for Decred: it verifies the headers and
// committed filters of the whole chain, finds the transactions of the scripts
// it watches, and keeps following.
//
// The program is thin. Package spv syncs, package wallet keeps the coins; here
// are the flags, the configuration file, the progress bars, the texts and the
// JSON. Every command is an entry of the table in commands.go, everything that
// can go wrong ends in one line made by failure.go, and [program.run] is the
// whole program as a function, so that tests call it in process.
package main

import (
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/term"
)

func main() {
	// Capacity two: the second Ctrl-C must not be lost while the first is
	// being handled.
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) { // as nohup has it
		signal.Notify(signals, syscall.SIGHUP)
	}
	// When nobody reads any more what is written, that is an error of the write.
	signal.Ignore(syscall.SIGPIPE)

	p := &program{
		stdin:     os.Stdin,
		stdout:    os.Stdout,
		stderr:    os.Stderr,
		terminal:  term.IsTerminal(int(os.Stderr.Fd())),
		signals:   signals,
		configDir: os.UserConfigDir,
		homeDir:   os.UserHomeDir,
		now:       time.Now,
		force:     func() { os.Exit(statusFailed) },
		demo:      fullDemo,
	}
	os.Exit(p.run(os.Args[1:]))
}
