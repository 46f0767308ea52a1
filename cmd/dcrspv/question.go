package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"dcrspv/wallet"
)

// A question about addresses is answered by a wallet of its own, whose file has the
// addresses in it. It lies in the data directory, which nobody else can read, and
// has no name any more before it knows what is asked: so nothing is left of it
// however the program ends. Where an open file can't be removed (on Windows) that is
// done at the end, or else by the next question.
const questionPattern = "rescan-*"

// openQuestion opens an empty wallet for a question. done ends it.
func (p *program) openQuestion() (w *wallet.Wallet, done func(), err error) {
	if err := p.set.makeDir(); err != nil {
		return nil, nil, err
	}
	left, _ := fs.Glob(os.DirFS(p.set.dir), questionPattern) // the pattern is right
	for _, name := range left {
		os.RemoveAll(filepath.Join(p.set.dir, name)) // as far as it is not in use
	}
	dir, err := os.MkdirTemp(p.set.dir, questionPattern)
	if err != nil {
		return nil, nil, fmt.Errorf("no directory for the scan: %w", err)
	}
	w, err = wallet.OpenNameless(filepath.Join(dir, "wallet.db"), p.set.params)
	os.RemoveAll(dir)
	if err != nil {
		return nil, nil, err
	}
	return w, func() {
		w.Close()
		os.RemoveAll(dir)
	}, nil
}
