package spv

import "time"

// progress measures how fast the present phase goes and how long the phases
// of the initial sync took.
type progress struct {
	began  time.Time
	last   time.Time // until when time is accounted
	phase  Phase
	spent  map[Phase]time.Duration
	ended  bool // the initial sync is over: its times stand
	synced bool

	target uint32        // of the last status
	left   time.Duration // how long the present phase will take; 0 is not known
	since  time.Time     // when the present phase began
	first  uint32        // and where
}

func (p *progress) start(now time.Time, height uint32) {
	*p = progress{began: now, last: now, since: now, first: height, phase: Connecting, spent: make(map[Phase]time.Duration)}
}

// finishInitial ends the accounting: what follows is following.
func (p *progress) finishInitial(now time.Time) {
	p.account(now)
	p.ended = true
}

func (p *progress) account(now time.Time) {
	if !p.ended {
		p.spent[p.phase] += now.Sub(p.last)
	}
	p.last = now
}

// enter notes the phase and how far its work is.
func (p *progress) enter(phase Phase, done uint32, now time.Time) {
	p.account(now)
	if phase != p.phase {
		p.phase, p.since, p.first = phase, now, done
	}
	p.synced = phase == InSync
}

// aim notes the target of a status.
func (p *progress) aim(target uint32) { p.target = target }

// rate returns blocks a second in this phase, and how long the rest will take;
// both 0 when nothing can be said yet.
func (p *progress) rate(done, target uint32, now time.Time) (rate float64, left time.Duration) {
	if elapsed := now.Sub(p.since); done > p.first && elapsed > 0 {
		rate = float64(done-p.first) / elapsed.Seconds()
	}
	p.left = 0
	if rate > 0 && target > done {
		p.left = time.Duration(float64(target-done) / rate * float64(time.Second))
	}
	return rate, p.left
}

// seconds is the account for Status.
func (p *progress) seconds(now time.Time) Seconds {
	return Seconds{
		Total:   now.Sub(p.began).Seconds(),
		Headers: (p.spent[Headers] + p.spent[Connecting]).Seconds(),
		Filters: p.spent[Filters].Seconds(),
		Scan:    p.spent[Scanning].Seconds(),
	}
}
