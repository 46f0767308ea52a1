// Simnet runs a Decred network of real dcrd nodes on loopback for tests.
//
//	simnet -dcrd PROGRAM -dir DIR [-nodes 3] [-height 180] [-limit 600]
//
// It starts the nodes, connects them, mines the first blocks and then carries
// out commands: one JSON object a line on standard input, one JSON object a
// line as answer on standard output. The first line on standard output, before
// any command, describes the network. See command.go for the commands.
//
// It ends, and its nodes with it, when standard input closes or a signal asks
// for it. Nodes also end when the driver is killed.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	dcrd := flag.String("dcrd", "", "the dcrd program")
	dir := flag.String("dir", "", "folder for the nodes' data and logs")
	nodes := flag.Int("nodes", 3, "how many nodes")
	height := flag.Int("height", 180, "how many blocks to mine first")
	limit := flag.Int("limit", 600, "how high the chain may become; as many seconds ago is block one")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *dcrd, *dir, *nodes, *height, *limit); err != nil {
		fmt.Fprintln(os.Stderr, "simnet:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, dcrd, dir string, nodes, height, limit int) error {
	w, err := newNetwork(dcrd, dir, nodes, limit)
	if err != nil {
		return err
	}
	defer w.stopAll()
	// Standard input is read from the start: its end must end a driver that
	// is still starting, too.
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	lines := readLines(ctx, os.Stdin, cancel)
	for i := range w.nodes {
		if err := w.start(ctx, i); err != nil {
			return err
		}
	}
	if _, err := w.mine(ctx, height, order{}, false); err != nil {
		return err
	}
	return serve(ctx, w, lines, os.Stdout)
}
