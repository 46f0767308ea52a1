package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"dcrspv/spv"
	"dcrspv/wallet/dcrwallet"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// await waits until the wallet is in sync, and shows how far it is.
func (p *program) await(ctx context.Context, c *session) error {
	if p.opts.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, p.opts.timeout, errNotSynced)
		defer cancel()
	}
	show := p.newView()
	defer show.end()
	shown := make(chan struct{})
	watching, stop := context.WithCancel(ctx)
	go func() {
		defer close(shown)
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for {
			show.update(c.syncer.Status(), c.backend.Status())
			select {
			case <-tick.C:
			case <-watching.Done():
				return
			}
		}
	}()
	err := c.backend.Wait(ctx)
	stop()
	<-shown
	if err == nil {
		show.update(c.syncer.Status(), c.backend.Status())
		return nil
	}
	if cause := context.Cause(ctx); errors.Is(cause, errNotSynced) {
		if !show.trouble.IsZero() {
			return errStuck
		}
		return errNotSynced
	}
	return err
}

// stages are the bars: those of the Syncer, then those of the wallet.
var stages = []string{"headers", "filters", "wallet", "rescan"}

// view shows the sync: bars on a terminal, a line for each trouble anywhere.
type view struct {
	p       *program
	group   *mpb.Progress // nil without a terminal
	bars    []*mpb.Bar
	trouble spv.Trouble
}

func (p *program) newView() *view {
	v := &view{p: p}
	if !p.screen {
		return v
	}
	v.group = mpb.New(mpb.WithOutput(p.stderr), mpb.WithWidth(60))
	for _, name := range stages {
		v.bars = append(v.bars, v.group.AddBar(0,
			mpb.PrependDecorators(decor.Name(name, decor.WC{W: 8, C: decor.DindentRight})),
			mpb.AppendDecorators(decor.CountersNoUnit("%d/%d"))))
	}
	return v
}

// update shows a newer status.
func (v *view) update(st spv.Status, own dcrwallet.Status) {
	if st.Trouble != v.trouble && !st.Trouble.IsZero() {
		fmt.Fprintf(v.p.stderr, "stuck: %v\n", st.Trouble)
	}
	v.trouble = st.Trouble
	if v.group == nil {
		return
	}
	scanned := own.Through
	if own.Stage == dcrwallet.Following {
		scanned = own.Tip.Height
	}
	for i, done := range []uint32{st.Tip.Height, st.Filters.Through, own.Tip.Height, scanned} {
		v.bars[i].SetTotal(int64(max(st.Target, done)), false)
		v.bars[i].SetCurrent(int64(done))
	}
}

// end leaves the bars as they are on the screen.
func (v *view) end() {
	if v.group == nil {
		return
	}
	for _, bar := range v.bars {
		bar.Abort(false)
	}
	v.group.Wait()
}
