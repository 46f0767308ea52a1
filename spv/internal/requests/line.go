package requests

import "time"

// line is what all peers are reached by. While it brings as much as it ever has, it is
// the line that is slow, and not who is asked: others would only make that slower.
type line struct {
	at    [2]time.Time // when it was looked at, the older first
	bytes [2]int64     // that had come by then
	rate  float64      // bytes a second since the first
}

const (
	// lineSpan is how long its rate is measured at least.
	lineSpan = 3 * time.Second

	// lineFactor is how many times as fast it must have been seen to be, not to count
	// as full.
	lineFactor = 2

	// excuseFactor is how many times what others take is waited for.
	excuseFactor = 4

	// lineSlow is how many bytes a second nobody and nothing may come with, for a line
	// to count as slow: many who drip bring more together, whatever the others can do.
	lineSlow = 32 << 10
)

// received notes how many bytes have come in all.
func (l *line) received(bytes int64, now time.Time) {
	if now.Sub(l.at[1]) >= lineSpan {
		l.at[0], l.bytes[0] = l.at[1], l.bytes[1]
		l.at[1], l.bytes[1] = now, bytes
	}
	if !l.at[0].IsZero() {
		l.rate = float64(bytes-l.bytes[0]) / now.Sub(l.at[0]).Seconds()
	}
}

// Received notes how many bytes have come in, from all peers there ever were.
func (t *Table[W]) Received(bytes int64, now time.Time) { t.line.received(bytes, now) }

// Rate is how many bytes a second have come in lately; 0 is not known.
func (t *Table[W]) Rate() float64 { return t.line.rate }

// lineFull reports whether what comes in is about all that the line can bring: no
// answer of those who are connected came much faster.
func (t *Table[W]) lineFull() bool {
	best := 0.0
	for _, p := range t.peers {
		best = max(best, p.rate)
	}
	return 0 < best && best <= lineSlow && t.line.rate <= lineSlow && lineFactor*t.line.rate >= best
}

// Excused reports whether a peer that has proved itself, and whose answers come in, is not
// late, because they do on a line that is full. But nobody is waited for much longer than
// others take: a line can be made to seem full.
func (t *Table[W]) Excused(addr string, kind Kind, waited time.Duration, moves bool) bool {
	best := t.rank(kind)
	return t.lineFull() && t.excused(&best, addr, kind, waited, moves)
}

func (t *Table[W]) excused(best *ranking, addr string, kind Kind, waited time.Duration, moves bool) bool {
	takes := best.besides(addr)
	return moves && t.Measured(addr, kind) > 0 && (takes == 0 || waited < excuseFactor*takes)
}
