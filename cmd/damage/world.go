//go:build unix

package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"dcrspv/spv/spvtest"

	"github.com/decred/dcrd/wire"
)

// world is what all damage starts from: a chain that goes on, peers that serve it, and
// the files of a wallet that was synced twice on the way.
type world struct {
	work    string // holds all of the rest
	program string // dcrspv, built

	short, long *spvtest.Chain // long goes on where short ends
	peers       []*spvtest.Peer
	addrs       []string

	old  string // data directory, synced long before the end of short
	base string // data directory, synced to the end of short

	before, after answers // of a wallet in sync with short and with long
}

const scripts = 4 // watched

// newWorld builds dcrspv and syncs twice.
func newWorld(ctx context.Context) (*world, error) {
	work, err := os.MkdirTemp("", "dcrspv-damage-")
	if err != nil {
		return nil, err
	}
	w := &world{work: work, program: filepath.Join(work, "dcrspv"), old: filepath.Join(work, "old"), base: filepath.Join(work, "base")}
	if err := w.prepare(ctx); err != nil {
		w.close()
		return nil, err
	}
	return w, nil
}

func (w *world) close() {
	for _, p := range w.peers {
		p.Close()
	}
	os.RemoveAll(w.work)
}

func (w *world) prepare(ctx context.Context) error {
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", w.program, "dcrspv/cmd/dcrspv").CombinedOutput(); err != nil {
		return fmt.Errorf("building dcrspv: %w: %s", err, out)
	}
	w.mine()
	for range 2 {
		if _, err := w.join(w.short); err != nil {
			return err
		}
	}
	var watched []string
	for n := range uint32(scripts) {
		watched = append(watched, hex.EncodeToString(spvtest.Script(n)))
	}
	middle := w.short.Fork(w.short.Height() - 500)
	for _, p := range w.peers {
		p.SetChain(middle)
	}
	err := errors.Join(
		w.must(ctx, w.base, append([]string{"watch"}, watched...)...),
		w.must(ctx, w.base, "sync"),
		os.CopyFS(w.old, os.DirFS(w.base)),
	)
	if err != nil {
		return err
	}
	for _, p := range w.peers {
		p.SetChain(w.short)
	}
	if err := w.must(ctx, w.base, "sync"); err != nil {
		return err
	}
	if w.before, err = w.answers(ctx, w.base); err != nil {
		return err
	}
	for _, p := range w.peers {
		p.SetChain(w.long)
	}
	last := filepath.Join(w.work, "last")
	if err := errors.Join(os.CopyFS(last, os.DirFS(w.base)), w.must(ctx, last, "sync")); err != nil {
		return err
	}
	w.after, err = w.answers(ctx, last)
	return err
}

// mine makes the chains: payments to what is watched, some of them spent.
func (w *world) mine() {
	c := spvtest.NewChain(nil)
	var paid []wire.OutPoint
	for i := range uint32(24) {
		c.Mine(59)
		tx := c.Pay(spvtest.Script(i%scripts), int64(1+i)*1e8)
		txs := []*wire.MsgTx{tx}
		if i%3 == 2 {
			txs = append(txs, c.Spend(paid[:1], wire.NewTxOut(1e7, spvtest.Script((i+1)%scripts))))
			paid = paid[1:]
		}
		c.MineBlock(txs...)
		paid = append(paid, wire.OutPoint{Hash: tx.TxHash()})
	}
	w.short = c
	w.long = c.Fork(c.Height())
	w.long.MineBlock(w.long.Pay(spvtest.Script(0), 5e8))
}

// join starts a peer that serves a chain.
func (w *world) join(c *spvtest.Chain) (*spvtest.Peer, error) {
	p := spvtest.NewPeer(c, spvtest.Behaviour{})
	addr, err := p.ListenTCP("127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	w.peers = append(w.peers, p)
	w.addrs = append(w.addrs, addr.String())
	return p, nil
}
