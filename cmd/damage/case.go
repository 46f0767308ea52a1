//go:build unix

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"dcrspv/spv/spvtest"
)

// network is the folder of the network in a data directory.
const network = "simnet"

// one damages a copy of the files in one way, and tells what became of it.
func (w *world) one(ctx context.Context, c class, seed uint64) (o outcome, why error, err error) {
	dir, err := os.MkdirTemp(w.work, "case-")
	if err != nil {
		return "", nil, err
	}
	defer os.RemoveAll(dir)
	dir = filepath.Join(dir, "data")
	if err := os.CopyFS(dir, os.DirFS(w.base)); err != nil {
		return "", nil, err
	}
	path := filepath.Join(dir, network, c.file)
	rng := rand.New(rand.NewPCG(seed, 0))
	damage := func() (bool, error) { return c.damage(w, path, rng) }
	failed := false // with a clear error
	if c.running {
		o, why, err = w.underRun(ctx, dir, damage)
		failed = o == said
		if c.lost && o == right {
			o, why = faulty, errors.New("nobody says that the file is gone")
		}
	} else {
		// A first command after copying, so that what is trusted is what was damaged.
		if err = w.must(ctx, dir, "status"); err == nil {
			o, err = right, nil
			var changed bool
			if changed, err = damage(); !changed {
				o = skipped
			}
		}
	}
	if err != nil || o == faulty || o == skipped {
		return o, why, err
	}
	if c.lost {
		if err := w.remedy(path); err != nil {
			return "", nil, err
		}
	}
	switch fails, why := w.aftermath(ctx, dir); {
	case why != nil:
		return faulty, why, nil
	case !fails && !failed:
		return right, nil, nil
	case !fails:
		return said, nil, nil
	}
	// What the errors advise: delete the cache, bring back a backup.
	if err := w.remedy(path); err != nil {
		return "", nil, err
	}
	if fails, why := w.aftermath(ctx, dir); fails || why != nil {
		return faulty, fmt.Errorf("after the remedy: fails %v, %w", fails, why), nil
	}
	return said, nil, nil
}

// remedy does what the errors advise.
func (w *world) remedy(path string) error {
	if err := os.RemoveAll(path); err != nil || filepath.Base(path) == chainFile {
		return err
	}
	backup, err := os.ReadFile(w.oldFile(path))
	if err != nil {
		return err
	}
	return os.WriteFile(path, backup, 0o600)
}

// aftermath syncs, asks all questions and verifies. fails: there was a clear error. why is
// what is wrong with it otherwise.
func (w *world) aftermath(ctx context.Context, dir string) (fails bool, why error) {
	_, syncErr := w.call(ctx, dir, "sync")
	if syncErr != nil && !errors.Is(syncErr, errLine) {
		return false, syncErr
	}
	got, err := w.answers(ctx, dir)
	if err != nil && !errors.Is(err, errLine) {
		return false, err
	}
	allowed := []answers{w.after}
	if syncErr != nil { // then it is as of before
		allowed = append(allowed, w.before)
	}
	if why := got.differs(allowed...); why != nil {
		return false, why
	}
	if _, verifyErr := w.call(ctx, dir, "verify"); verifyErr != nil {
		if !errors.Is(verifyErr, errLine) {
			return false, verifyErr
		}
		fails = true
	}
	return fails || syncErr != nil || err != nil, nil
}

// underRun has dcrspv follow the chain, damages a file meanwhile, and lets it hear of a
// block. It either goes on, or ends with a clear error.
func (w *world) underRun(ctx context.Context, dir string, damage func() (bool, error)) (o outcome, why error, err error) {
	p := spvtest.NewPeer(w.short, spvtest.Behaviour{})
	defer p.Close()
	addr, err := p.ListenTCP("127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	alone := &world{program: w.program, addrs: []string{addr.String()}}
	cmd := alone.command(ctx, dir, "run")
	told := &watcher{seen: make(map[string]chan struct{})}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, told
	synced, news := told.wait("synced      block"), told.wait(fmt.Sprintf("block %d", w.long.Height()))
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	end := func(err error) (outcome, error, error) {
		switch why := w.judge(ctx, "run", err, told.String()); {
		case why == nil:
			return right, nil, nil
		case errors.Is(why, errLine):
			return said, nil, nil
		default:
			return faulty, why, nil
		}
	}
	select {
	case <-synced:
	case err := <-ended:
		return "", nil, fmt.Errorf("it ended before anything was damaged: %w: %s", err, told)
	}
	changed, err := damage()
	p.SetChain(w.long)
	select {
	case <-news:
	case err := <-ended:
		return end(err)
	case <-time.After(10 * time.Second): // it may have nothing to read or to write
	}
	if sigErr := cmd.Process.Signal(syscall.SIGINT); sigErr != nil && !errors.Is(sigErr, os.ErrProcessDone) {
		return "", nil, sigErr
	}
	o, why, endErr := end(<-ended)
	if !changed && o == right {
		o = skipped
	}
	return o, why, errors.Join(err, endErr)
}

// watcher collects what a program says, and tells when it has said something.
type watcher struct {
	mu   sync.Mutex
	text bytes.Buffer
	seen map[string]chan struct{}
}

// wait returns a channel that is closed once the text was said.
func (t *watcher) wait(text string) <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.seen[text] = make(chan struct{})
	return t.seen[text]
}

func (t *watcher) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n, err := t.text.Write(b)
	for text, seen := range t.seen {
		if strings.Contains(t.text.String(), text) {
			close(seen)
			delete(t.seen, text)
		}
	}
	return n, err
}

func (t *watcher) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.String()
}
