package registry

import (
	"math"
	"net"
	"strings"
	"testing"
	"time"
)

// model is what the registry should say, worked out naively: it keeps all that
// has happened and begins from the beginning whenever it is asked.
type model struct {
	peers   map[string]*modelPeer
	conduct map[string]*modelConduct // by what a ban goes by
}

type modelPeer struct {
	persistent   bool
	state        state
	said, proved uint32
	service      []modelService
}

// modelService is an answer, a failure (took < 0) or a lie.
type modelService struct {
	at   time.Time
	took time.Duration
	lie  bool
}

// modelConduct: since start, sum points were given; one of them fades a minute.
type modelConduct struct {
	start time.Time
	sum   int
	until time.Time
}

func newModel() *model {
	return &model{peers: make(map[string]*modelPeer), conduct: make(map[string]*modelConduct)}
}

// modelHost is the host of an address or a ban; a name of its own when a
// loopback address has a port, because there may be anybody behind it.
func modelHost(addr string) string {
	if host, _, err := net.SplitHostPort(addr); err == nil {
		return host
	}
	return addr
}

func modelKey(addr string) string {
	if strings.HasPrefix(addr, "127.") {
		return addr
	}
	return modelHost(addr)
}

// held returns what is held against a key at a time, nil if nothing is.
func (m *model) held(key string, now time.Time) *modelConduct {
	c := m.conduct[key]
	if c == nil || !c.until.IsZero() && !now.Before(c.until) || c.until.IsZero() && c.points(now) == 0 {
		return nil
	}
	return c
}

func (c *modelConduct) points(now time.Time) int {
	if c == nil {
		return 0
	}
	return max(0, c.sum-int(math.Floor(now.Sub(c.start).Minutes())))
}

func (m *model) bannedUntil(addr string, now time.Time) time.Time {
	var until time.Time
	for _, key := range []string{modelKey(addr), modelHost(addr)} {
		if c := m.held(key, now); c != nil && c.until.After(until) {
			until = c.until
		}
	}
	return until
}

func (m *model) banned(addr string, now time.Time) bool { return !m.bannedUntil(addr, now).IsZero() }

// strike reports whether it makes a ban.
func (m *model) strike(addr string, points int, now time.Time) bool {
	key := modelKey(addr)
	c := m.held(key, now)
	if c == nil || c.points(now) == 0 && c.until.IsZero() {
		c = &modelConduct{start: now}
		m.conduct[key] = c
	}
	if !c.until.IsZero() {
		return false
	}
	if p := m.peers[addr]; p != nil && points >= 100 {
		p.service = append(p.service, modelService{at: now, lie: true})
	}
	c.sum += points
	if c.points(now) < 100 {
		return false
	}
	c.until = now.Add(24 * time.Hour)
	return true
}

func (m *model) ban(host string, now time.Time) {
	key := modelKey(host)
	c := m.held(key, now)
	if c == nil {
		c = &modelConduct{start: now}
		m.conduct[key] = c
	}
	c.until = now.Add(24 * time.Hour)
}

func (m *model) unban(host string) {
	for key := range m.conduct {
		if key == modelKey(host) || key == modelHost(modelKey(host)) || modelHost(key) == modelKey(host) {
			delete(m.conduct, key)
		}
	}
}

// restart leaves of a peer what a program that starts again may believe.
func (m *model) restart() {
	for _, p := range m.peers {
		*p = modelPeer{service: p.service}
	}
}

// score replays the life of a peer.
func (m *model) score(addr string, now time.Time) float64 {
	p := m.peers[addr]
	relapses := 0
	for i, s := range p.service {
		before, with := tally(p.service[:i]), tally(p.service[:i+1])
		switch {
		case s.lie || s.took < 0:
			if before.recovered(relapses, s.at) {
				relapses = min(relapses+1, 5)
			}
		case with.earned(s.at) >= 50:
			relapses = 0
		}
	}
	whole := tally(p.service)
	c := m.held(modelKey(addr), now)
	if whole.recovered(relapses, now) && c.points(now) == 0 && !m.banned(addr, now) {
		return 30
	}
	return whole.earned(now)
}

type modelTally struct {
	good, bad         float64
	lastGood, lastBad time.Time
	latency           float64
	lied              bool
}

func tally(service []modelService) (sum modelTally) {
	for _, s := range service {
		switch {
		case s.lie:
			sum.lied, sum.lastBad = true, s.at
		case s.took < 0:
			sum.bad++
			sum.lastBad = s.at
		default:
			sum.good++
			sum.lastGood = s.at
			ms := s.took.Seconds() * 1000
			if sum.latency == 0 {
				sum.latency = ms
			} else if ms > 0 {
				sum.latency += (ms - sum.latency) / 5
			}
		}
	}
	return sum
}

func (s modelTally) earned(now time.Time) float64 {
	if s.lied {
		return 5
	}
	if s.good+s.bad == 0 {
		return 50
	}
	score := 60*s.good/(s.good+s.bad) + 20
	if !s.lastBad.IsZero() && now.Before(s.lastBad.Add(time.Hour)) {
		score -= 15
	}
	if !s.lastGood.IsZero() && now.Before(s.lastGood.Add(time.Hour)) {
		score += 10
	}
	factor := 1.2
	for i, limit := range []float64{200, 500, 2000, 5000, 10000, 30000} {
		if s.latency >= limit {
			factor = []float64{1.1, 1, 0.9, 0.8, 0.7, 0.6}[i]
		}
	}
	if s.latency == 0 {
		factor = 1
	}
	return math.Max(0, math.Min(100, score*factor))
}

func (s modelTally) recovered(relapses int, now time.Time) bool {
	pause := time.Duration(5*math.Pow(3, float64(relapses))) * time.Minute
	return s.earned(now) < 20 && !now.Before(s.lastBad.Add(pause))
}

// compare holds a list of the registry against the model.
func (m *model) compare(t *testing.T, list []Peer, now time.Time) {
	t.Helper()
	listed := make(map[string]bool)
	for _, p := range list {
		listed[p.Addr] = true
		if until := m.bannedUntil(p.Addr, now); !p.BannedUntil.Equal(until) {
			t.Errorf("%s is banned until %v, want %v", p.Addr, p.BannedUntil, until)
		}
		held := m.held(modelKey(p.Addr), now)
		if want := held.points(now); p.BanScore != want || held == nil && p.BanReasons != nil ||
			len(p.BanReasons) > 20 {
			t.Errorf("%s has %d points, want %d, for %v", p.Addr, p.BanScore, want, p.BanReasons)
		}
		want := m.peers[p.Addr]
		if want == nil {
			if !m.banned(p.Addr, now) {
				t.Errorf("%s is listed, neither known nor banned", p.Addr)
			}
			continue
		}
		if p.Connected != (want.state == stateConnected) || p.Persistent != want.persistent ||
			p.AdvertisedHeight != want.said || p.ValidatedHeight != want.proved {
			t.Errorf("listed %+v, want %+v", p, *want)
		}
		if score := m.score(p.Addr, now); math.Abs(p.Score-score) > 1e-6 || p.Score < 0 || p.Score > 100 {
			t.Errorf("%s has score %v, want %v", p.Addr, p.Score, score)
		}
		if l := tally(want.service).latency; math.Abs(p.LatencyMS-l) > 1e-6*(1+l) {
			t.Errorf("%s has latency %v, want %v", p.Addr, p.LatencyMS, l)
		}
	}
	for addr := range m.peers {
		if !listed[addr] {
			t.Errorf("%s is missing", addr)
		}
	}
}
