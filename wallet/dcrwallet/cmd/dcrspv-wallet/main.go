// Command dcrspv-wallet is a Decred wallet for the command line: dcrwallet's own wallet,
// with its keys, coins and tickets, kept in sync by dcrspv. It makes or restores a wallet,
// syncs it, shows what it holds, sends, buys tickets, and ends.
//
// The program is thin. Each command is an entry of the table in commands.go, and everything
// that can go wrong ends in one line made by failure.go.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/term"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	p := &program{
		stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr,
		keyboard: term.IsTerminal(int(os.Stdin.Fd())),
		screen:   term.IsTerminal(int(os.Stderr.Fd())),
	}
	os.Exit(p.run(ctx, os.Args[1:]))
}
