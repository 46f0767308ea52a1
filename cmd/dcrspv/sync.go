package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"dcrspv/spv"
	"dcrspv/wallet"
)

// runSync syncs to the tip and ends.
func (p *program) runSync(ctx context.Context) error {
	return p.withWallet(func(w *wallet.Wallet) error {
		st, err := p.syncOnce(ctx, spv.Settled, w)
		if err != nil {
			return p.reportSync(st, err)
		}
		warnings, err := p.warnings(ctx, w, st)
		if err != nil {
			return err
		}
		if p.opts.JSON {
			doc := newStatusDoc(networkName(p.set.params), st)
			doc.Warnings = warnings
			return p.printJSON(doc)
		}
		p.printWarnings(warnings)
		return p.printSynced(st)
	})
}

// syncOnce runs a Syncer until the condition holds and returns the status
// then, also when it failed for the time it took.
func (p *program) syncOnce(ctx context.Context, cond spv.Condition, wallets ...spv.Wallet) (st spv.Status, err error) {
	cfg, err := p.config(ctx, wallets...)
	if err != nil {
		return st, err
	}
	err = p.withClient(ctx, cfg, func(ctx context.Context, c *client) error {
		var err error
		st, err = c.wait(ctx, cond)
		return err
	})
	return st, err
}

// reportSync prints what there is to say of a sync that failed, and returns why. One
// that took too long has a document all the same.
func (p *program) reportSync(st spv.Status, err error) error {
	if p.opts.JSON && userError(err).status == statusNotSynced {
		return firstError(p.printJSON(newStatusDoc(networkName(p.set.params), st)), err)
	}
	return err
}

// printSynced is the text of a sync that is done.
func (p *program) printSynced(st spv.Status) error {
	_, err := fmt.Fprintf(p.stdout, "Synced to block %d of %s UTC\n%s\n%s, filters %s, scanned %s\n%s received in %.1f s\n",
		st.Tip.Height, st.Tip.Time.UTC().Format(time.DateTime), st.Tip.Hash,
		plural(st.Peers, "peer"), spanText(st.Filters), spanText(st.Scanned),
		bytesText(st.ReceivedBytes), st.Seconds.Total)
	return err
}

// runRun syncs and follows the tip until it is interrupted, which is its
// normal end.
func (p *program) runRun(ctx context.Context) error {
	return p.withWallet(func(w *wallet.Wallet) error {
		cfg, err := p.config(ctx, w)
		if err != nil {
			return err
		}
		var last spv.Status
		err = p.withClient(ctx, cfg, func(ctx context.Context, c *client) error {
			err := c.follow(ctx, w)
			last = c.syncer.Status()
			return err
		})
		if err != nil && !(errors.Is(err, context.Canceled) && ctx.Err() != nil) {
			return p.reportSync(last, err)
		}
		if p.opts.JSON {
			// The context may be over: that of an interrupt.
			doc := newStatusDoc(networkName(p.set.params), last)
			if doc.Warnings, err = p.warnings(context.WithoutCancel(ctx), w, last); err != nil {
				return err
			}
			return p.printJSON(doc)
		}
		_, err = fmt.Fprintf(p.stdout, "Stopped at block %d\n", last.Tip.Height)
		return err
	})
}

// follow prints what happens in the wallet until the context ends.
func (c *client) follow(ctx context.Context, w *wallet.Wallet) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	printed := make(chan struct{})
	go func() {
		defer close(printed)
		cancel(c.printEvents(ctx, w))
	}()
	st, err := c.wait(ctx, spv.Synced)
	if err == nil {
		err = c.warn(ctx, w, st)
	}
	if err == nil {
		<-ctx.Done()
		err = ctx.Err()
	}
	cause := context.Cause(ctx)
	cancel(nil)
	<-printed
	if errors.Is(err, context.Canceled) && cause != nil {
		return cause
	}
	return err
}

// warn prints the warnings among the lines of progress.
func (c *client) warn(ctx context.Context, w *wallet.Wallet, st spv.Status) error {
	warnings, err := c.p.warnings(ctx, w, st)
	for _, d := range warnings {
		c.con.printf("%s", d.line())
	}
	return err
}

// bytesText is an amount of data for people.
func bytesText(n int64) string {
	switch {
	case n >= 1e9:
		return fmt.Sprintf("%.1f GB", float64(n)/1e9)
	case n >= 1e6:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	case n >= 1e3:
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	}
	return fmt.Sprintf("%d bytes", n)
}

// spanText is a range of blocks for people.
func spanText(s spv.Span) string {
	if !s.Any {
		return "none"
	}
	return fmt.Sprintf("%d to %d", s.From, s.Through)
}
