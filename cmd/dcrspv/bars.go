package main

import (
	"fmt"
	"sync/atomic"

	"dcrspv/spv"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// bars shows the three stages of the sync, one bar each. They fill together,
// because the stages overlap.
type bars struct {
	con    *console
	status atomic.Pointer[spv.Status]
	bar    [3]*mpb.Bar
}

func newBars(con *console) *bars {
	b := &bars{con: con}
	b.status.Store(&spv.Status{})
	group := con.startBars()
	for i, phase := range []spv.Phase{spv.Headers, spv.Filters, spv.Scanning} {
		b.bar[i] = group.AddBar(0,
			mpb.PrependDecorators(decor.Name(string(phase), decor.WC{W: 8, C: decor.DindentRight})),
			mpb.AppendDecorators(
				decor.Any(func(decor.Statistics) string { return b.counts(i) }, decor.WC{W: 20}),
				decor.Any(func(decor.Statistics) string { return "  " + b.remark(i) }),
			))
	}
	return b
}

// counts is the text right of a bar: blocks done and of how many.
func (b *bars) counts(i int) string {
	s := stages(*b.status.Load())[i]
	return fmt.Sprintf("%d/%d", s.done, s.total)
}

// remark is the speed, shown at the bar that the sync waits for.
func (b *bars) remark(i int) string {
	st := *b.status.Load()
	s := stages(st)[i]
	switch {
	case st.Phase == s.phase:
		return speedText(st)
	case !st.Trouble.IsZero(): // there is a line that says it
	case (st.Phase == spv.Connecting || st.Phase == spv.Checking) && i == 0:
		return oneLine(orElse(st.Reason, "connecting"))
	}
	return ""
}

// update shows a newer status.
func (b *bars) update(st spv.Status) {
	b.status.Store(&st)
	for i, s := range stages(st) {
		b.bar[i].SetTotal(int64(s.total), false)
		b.bar[i].SetCurrent(int64(s.done))
	}
}

// stop leaves the bars as they are on the screen. It may be called on nil.
func (b *bars) stop() {
	if b == nil {
		return
	}
	for _, bar := range b.bar {
		bar.Abort(false)
	}
	b.con.stopBars()
}
