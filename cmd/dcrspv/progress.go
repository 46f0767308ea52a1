package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"dcrspv/spv"
)

// lineEvery is how often progress is told where there are no bars.
const lineEvery = 4 * time.Second

// showProgress shows statuses until there are no more: bars on a terminal
// until the first time everything is in sync, lines otherwise and after that.
func (p *program) showProgress(con *console, statuses <-chan spv.Status) {
	var b *bars
	if p.terminal {
		b = newBars(con)
		defer func() { b.stop() }()
	}
	tick := time.NewTicker(lineEvery)
	defer tick.Stop()
	var l lines
	show := func(st spv.Status) {
		l.status = st
		if b != nil {
			b.update(st)
			if st.Synced {
				b.stop()
				b = nil
			}
		}
		if l.transition() && b == nil {
			con.printf("%s", progressLine(st))
		}
		if l.stuck() {
			con.printf("%-11s %s", "stuck", oneLine(st.Trouble.String()))
		}
		if l.aged() {
			con.printf("%s", oldTip(st.OldTip).line())
		}
	}
	for {
		select {
		case st, ok := <-statuses:
			if !ok {
				return
			}
			show(st)
		case <-tick.C:
			if b == nil && l.pending() {
				con.printf("%s", progressLine(l.status))
			}
		}
	}
}

// lines remembers what was told.
type lines struct {
	status spv.Status
	synced bool          // as last seen
	tip    spv.BlockInfo // as last seen
	said   spv.Trouble
	fresh  bool // when last in sync, the tip was not old
}

// transition reports whether the status is worth a line at once: in sync
// again, or in sync at another block.
func (l *lines) transition() bool {
	worth := l.status.Synced && (!l.synced || l.status.Tip.Height != l.tip.Height || l.status.Tip.Hash != l.tip.Hash)
	l.synced, l.tip = l.status.Synced, l.status.Tip
	return worth
}

// stuck reports whether something is wrong that was not told yet.
func (l *lines) stuck() bool {
	worth := !l.status.Trouble.IsZero() && l.status.Trouble != l.said
	if worth {
		l.said = l.status.Trouble
	}
	return worth
}

// aged reports whether the tip is old that was not. That it is from the beginning is among
// the warnings then.
func (l *lines) aged() bool {
	if !l.status.Synced {
		return false
	}
	was := l.fresh
	l.fresh = l.status.OldTip.IsZero()
	return was && !l.fresh
}

// pending reports whether there is progress to tell: not if it was told why there
// is none.
func (l *lines) pending() bool {
	return l.status.Phase != "" && !l.status.Synced && l.status.Trouble.IsZero()
}

// stage is how far one stage of the sync is, in blocks.
type stage struct {
	phase       spv.Phase
	done, total uint32
}

// stages returns the three stages of a status.
func stages(st spv.Status) [3]stage {
	top := max(st.Target, st.Tip.Height)
	span := func(phase spv.Phase, s spv.Span) stage {
		if !s.Any || s.Through < s.From {
			return stage{phase: phase, total: top}
		}
		done := s.Through - s.From + 1
		return stage{phase: phase, done: done, total: max(done, top-min(top, s.From)+1)}
	}
	scan := stage{phase: spv.Scanning, total: top + 1}
	if st.Filters.Any { // from the birthday on
		scan.total -= min(top, st.Filters.From)
	}
	scan.done = scan.total - min(scan.total, st.Unscanned)
	return [3]stage{{spv.Headers, st.Tip.Height, top}, span(spv.Filters, st.Filters), scan}
}

// progressLine says in one line where the sync is.
func progressLine(st spv.Status) string {
	switch st.Phase {
	case spv.InSync:
		return fmt.Sprintf("synced      block %d, %s", st.Tip.Height, plural(st.Peers, "peer"))
	case spv.Connecting:
		return fmt.Sprintf("%-11s %s", spv.Connecting, oneLine(orElse(st.Reason, "no peer yet")))
	case spv.Checking:
		return fmt.Sprintf("%-11s %s", spv.Checking, oneLine(st.Reason))
	}
	for _, s := range stages(st) {
		if s.phase == st.Phase {
			line := fmt.Sprintf("%-11s %d of %d, %s", s.phase, s.done, s.total, percent(s))
			if speed := speedText(st); speed != "" {
				line += ", " + speed
			}
			return line + ", " + plural(st.Peers, "peer")
		}
	}
	return oneLine(fmt.Sprintf("%s: %s", st.Phase, st.Reason))
}

// percent never says 100 before the end.
func percent(s stage) string {
	if s.total == 0 {
		return "0 %"
	}
	return strconv.Itoa(int(uint64(s.done)*100/uint64(s.total))) + " %"
}

// speedText is rate and remaining time of the present phase, as far as known.
func speedText(st spv.Status) string {
	if st.Rate <= 0 || math.IsInf(st.Rate, 0) || math.IsNaN(st.Rate) {
		return ""
	}
	text := fmt.Sprintf("%.0f/s", st.Rate)
	if st.ETA >= time.Second/10 {
		text += ", " + roundDuration(st.ETA) + " left"
	}
	return text
}

// roundDuration drops what nobody reads from a duration.
func roundDuration(d time.Duration) string {
	if d < 10*time.Second {
		return fmt.Sprintf("%.1fs", d.Seconds())
	}
	return d.Round(time.Second).String()
}

// longDuration is a time of hours or more.
func longDuration(d time.Duration) string {
	if days := int(d / (24 * time.Hour)); days >= 2 {
		return fmt.Sprintf("%d days", days)
	}
	return plural(int(d/time.Hour), "hour")
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	if stem, ok := strings.CutSuffix(noun, "y"); ok {
		noun = stem + "ie"
	}
	return strconv.Itoa(n) + " " + noun + "s"
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
