package main

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"dcrspv/spv"
)

// client is a Syncer at work on the terminal.
type client struct {
	p      *program
	con    *console
	syncer *spv.Syncer
}

// withClient runs a Syncer for as long as do takes, with progress on standard
// error. When the Syncer fails, the context of do ends and the failure is
// returned; when the user interrupts, too.
func (p *program) withClient(ctx context.Context, cfg spv.Config, do func(context.Context, *client) error) error {
	con := &console{out: p.stderr}
	cfg.Log = p.set.levels.loggers(con)
	log := cfg.Log("MAIN")
	log.Infof("dcrspv %s, %s, files in %s", version, networkName(p.set.params), oneLine(p.set.dir))
	syncer, err := spv.New(cfg)
	if err != nil {
		return err
	}
	doCtx, cancelDo := context.WithCancelCause(ctx)
	defer cancelDo(nil)
	// The Syncer outlives an interrupt until do has returned, so that do can
	// still ask for the status.
	runCtx, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()

	statuses := syncer.Watch(runCtx)
	<-statuses // what the last run has left

	var running sync.WaitGroup
	var runErr error
	running.Go(func() {
		runErr = syncer.Run(runCtx)
		cancelDo(errors.Join(errStopped, runErr))
	})
	running.Go(func() { p.showProgress(con, statuses) })

	err = do(doCtx, &client{p: p, con: con, syncer: syncer})
	stop()
	running.Wait()
	log.Infof("Stopped at block %d", syncer.Status().Tip.Height)
	return firstError(runErr, syncer.Close(), err)
}

// errStopped is why a context ends when the Syncer does.
var errStopped = errors.New("the syncer stopped")

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// config makes the Syncer's configuration from the flags.
func (p *program) config(ctx context.Context, wallets ...spv.Wallet) (spv.Config, error) {
	cfg := spv.Config{
		Params:           p.set.params,
		DataDir:          p.set.dir,
		Wallets:          wallets,
		Connect:          p.set.connect,
		MaxPeers:         p.set.maxPeers,
		NoRelay:          p.opts.NoRelay,
		Dial:             p.set.dial,
		UserAgentVersion: version,
	}
	if p.set.birthday != nil {
		height, err := p.height(ctx, *p.set.birthday)
		if err != nil {
			return cfg, err
		}
		cfg.Birthday = &height
	}
	return cfg, nil
}

// height resolves a flag that may be a date, with the stored headers if it is.
func (p *program) height(ctx context.Context, w heightOrDate) (uint32, error) {
	if w.day.IsZero() {
		return w.height, nil
	}
	var height uint32
	err := p.offline(func(s *spv.Syncer) (err error) {
		height, err = s.HeightBefore(ctx, w.day)
		return err
	})
	return height, err
}

// offline has a Syncer that does not run for a moment. What it has to do first with
// chain.db is said on standard error.
func (p *program) offline(do func(*spv.Syncer) error, wallets ...spv.Wallet) error {
	if err := p.set.makeDir(); err != nil {
		return err
	}
	con := &console{out: p.stderr}
	syncer, err := spv.New(spv.Config{
		Params: p.set.params, DataDir: p.set.dir, Wallets: wallets, Log: p.set.levels.loggers(con),
	})
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	var showing sync.WaitGroup
	showing.Go(func() { p.showChecking(con, syncer.Watch(ctx)) })
	err = do(syncer)
	stop()
	showing.Wait()
	return errors.Join(err, syncer.Close())
}

// showChecking prints how far the verification of chain.db is.
func (p *program) showChecking(con *console, statuses <-chan spv.Status) {
	progress := verifyProgress(con)
	for st := range statuses {
		if st.Phase == spv.Checking {
			progress(st.Tip.Height, st.Target)
		}
	}
}

// wait waits for the condition, at most as long as --timeout allows, and
// returns the status then.
func (c *client) wait(ctx context.Context, cond spv.Condition) (spv.Status, error) {
	waitCtx := ctx
	if d := c.p.set.timeout; d > 0 {
		var cancel context.CancelFunc
		waitCtx, cancel = context.WithTimeout(ctx, d)
		defer cancel()
	}
	err := c.syncer.Wait(waitCtx, cond)
	st := c.syncer.Status()
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return st, c.p.notSynced(st)
	}
	return st, err
}

// notSynced is the failure of a sync that took longer than --timeout.
func (p *program) notSynced(st spv.Status) error {
	remedy := "give more --timeout, what was done is kept"
	switch {
	case !st.Trouble.IsZero():
		remedy = st.Trouble.Remedy
	case st.Peers == 0:
		remedy = "check the network, --connect and --proxy"
	}
	what := fmt.Sprintf("not synced within %s", p.set.timeout)
	if st.Reason != "" {
		what += " (" + st.Reason + ")"
	}
	return &failure{status: statusNotSynced, what: what, remedy: remedy}
}
