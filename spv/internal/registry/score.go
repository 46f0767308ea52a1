package registry

import "time"

const (
	scoreNeutral   = 50 // nothing tried yet
	scoreFloor     = 20 // below it nothing is asked of a peer
	scoreMalicious = 5  // proved to have sent false data
	scoreRecovered = 30 // after the pause that follows a bad time

	recent         = time.Hour // how long the last success or failure weighs extra
	recentFailure  = 15
	recentSuccess  = 10
	successWeight  = 0.6 // of the success rate in percent
	neutralShare   = 0.4 * scoreNeutral
	recoverAfter   = 5 * time.Minute // tripled with every relapse
	maxRelapses    = 5               // 5 min * 3^5 = 20 h
	latencyHistory = 0.8             // of the old average in the new one
)

// record is how well a peer has served. Its score is a pure function of it and
// of the time.
type record struct {
	successes, failures      uint64
	lastSuccess, lastFailure time.Time
	latency                  float64 // moving average in milliseconds; 0 is unknown
	malicious                bool    // proved false data
	relapses                 int     // failures right after a recovery
}

// served tells whether it ever delivered.
func (s *record) served() bool { return !s.lastSuccess.IsZero() }

// success notes a verified answer that took d; 0 is not measured.
func (s *record) success(d time.Duration, now time.Time) {
	s.successes++
	s.lastSuccess = now
	if d > 0 {
		ms := float64(d) / float64(time.Millisecond)
		if s.latency == 0 {
			s.latency = ms
		} else {
			s.latency = latencyHistory*s.latency + (1-latencyHistory)*ms
		}
	}
	if s.earned(now) >= scoreNeutral {
		s.relapses = 0
	}
}

// failure notes an answer that did not come.
func (s *record) failure(now time.Time) {
	s.relapse(now)
	s.failures++
	s.lastFailure = now
}

// condemn notes proved false data.
func (s *record) condemn(now time.Time) {
	s.relapse(now)
	s.malicious = true
	s.lastFailure = now
}

// relapse makes the next recovery take longer if this one was in vain.
func (s *record) relapse(now time.Time) {
	if s.recovered(now) && s.relapses < maxRelapses {
		s.relapses++
	}
}

// score is from 0 to 100. A peer that has fallen below the floor gets another
// chance after a pause, unless bad conduct is still held against it.
func (s *record) score(now time.Time, conductClean bool) float64 {
	if conductClean && s.recovered(now) {
		return scoreRecovered
	}
	return s.earned(now)
}

// earned is the score without second chances.
func (s *record) earned(now time.Time) float64 {
	if s.malicious {
		return scoreMalicious
	}
	tried := float64(s.successes) + float64(s.failures)
	if tried == 0 {
		return scoreNeutral
	}
	score := successWeight*100*float64(s.successes)/tried + neutralShare
	if within(s.lastFailure, now, recent) {
		score -= recentFailure
	}
	if within(s.lastSuccess, now, recent) {
		score += recentSuccess
	}
	return min(max(score*speedFactor(s.latency), 0), 100)
}

// recovered tells whether the pause after a bad time is over.
func (s *record) recovered(now time.Time) bool {
	return s.earned(now) < scoreFloor && !now.Before(s.recovery())
}

// recovery is when the pause after the last failure ends.
func (s *record) recovery() time.Time {
	pause := recoverAfter
	for range s.relapses {
		pause *= 3
	}
	return s.lastFailure.Add(pause)
}

// within tells whether t was less than d ago. The zero time never was.
func within(t, now time.Time, d time.Duration) bool {
	return !t.IsZero() && now.Sub(t) < d
}

// speedFactor scales a score by the average answer time in milliseconds.
func speedFactor(ms float64) float64 {
	switch {
	case ms == 0:
		return 1.0 // not measured
	case ms < 200:
		return 1.2
	case ms < 500:
		return 1.1
	case ms < 2000:
		return 1.0
	case ms < 5000:
		return 0.9
	case ms < 10000:
		return 0.8
	case ms < 30000:
		return 0.7
	}
	return 0.6
}
