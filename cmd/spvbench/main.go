// Command spvbench measures what a user would run: whole syncs, rescans and
// starts of the product, from the start of its process to the moment when it
// is synced, against eight peers over loopback TCP, beside dcrwallet at the same
// work.
//
// # How it measures
//
// Three kinds of processes are at work, all of them this program. The one that
// was started gives orders and writes results. One child serves a synthetic
// simnet chain (world.go, serve.go): its CPU time and memory are its own. And
// for every measurement a fresh child is the client (client.go): the library as
// a program embeds it, wallet file and chain file on disk. Its CPU time and
// memory are what the kernel says of that process. What the wallet has found in
// the end is compared with what the chain's builder knows; a wrong balance is a
// failure, whatever the time.
//
// The table flood runs the program that people run, beside peers of which all but
// one flood it (flood.go, flooder.go, floodkind.go); those are in a child of their
// own.
//
// dcrwallet is built from the module in folder dcrwallet and measured in the
// same way (rival.go), and so is dcrwallet's wallet on the product, from the
// module wallet/dcrwallet.
//
// # Where it runs
//
// It builds wherever the product does, and its figures are of Linux. Elsewhere
// memory and the load of other processes read as 0, since they are taken from
// /proc. The peers listen on 127.0.0.1 to 127.0.0.16, which macOS has only after
// "ifconfig lo0 alias". dcrwallet's program is built on Unix alone.
//
// # Tables
//
// Every table is an entry in tables.go. Results are kept by row in results.json
// (results.go), from which the Markdown tables, the pictures and the page are
// made, so that a run that measures one thing renews only that.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// child runs the process that the arguments ask for, if it is one of those that
// this program starts itself.
func child(args []string) (is bool, err error) {
	if len(args) != 2 {
		return false, nil
	}
	switch args[0] {
	case "serve":
		var spec serveSpec
		if err := json.Unmarshal([]byte(args[1]), &spec); err != nil {
			return true, err
		}
		return true, runServe(spec, os.Stdin, os.Stdout)
	case "client":
		var spec clientSpec
		if err := json.Unmarshal([]byte(args[1]), &spec); err != nil {
			return true, err
		}
		return true, runClient(spec, os.Stdout)
	case "bare":
		var spec clientSpec
		if err := json.Unmarshal([]byte(args[1]), &spec); err != nil {
			return true, err
		}
		return true, runBare(spec, os.Stdout)
	}
	return false, nil
}

// run is the whole program. It returns the exit status: 2 for wrong usage, 1 for
// what failed.
func run(ctx context.Context, args []string, stdout, stderr *os.File) int {
	is, err := child(args)
	if !is {
		var opts *options
		opts, err = parse(args, stdout)
		if opts == nil && err == nil {
			return 0 // --help
		}
		if err != nil {
			fmt.Fprintf(stderr, "spvbench: %v; see spvbench --help\n", err)
			return 2
		}
		err = benchmark(ctx, opts, stderr)
	}
	if err != nil {
		fmt.Fprintf(stderr, "spvbench: %v\n", err)
		return 1
	}
	return 0
}
