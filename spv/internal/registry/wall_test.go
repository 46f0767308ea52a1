package registry

import (
	"testing"
	"time"

	"dcrspv/spv/spvtest"
)

const (
	day  = 24 * time.Hour
	year = 365 * day
)

// steps are by how much a clock may be set.
var steps = []time.Duration{
	time.Second, time.Minute, 2 * time.Hour, day, 30 * day, year, 10 * year,
	-time.Second, -time.Minute, -2 * time.Hour, -day, -30 * day, -year, -10 * year,
}

// Set by whatever it is, while running or between saving and loading in one run, the
// clock neither ends a ban or a pause nor makes it longer, and what is shown is when it
// ends by that clock.
// Rule 24.
func TestClockThatIsSetEndsNothing(t *testing.T) {
	for _, by := range steps {
		t.Run(by.String(), func(t *testing.T) {
			now := time.Now()
			r := fixture(t, Options{}, addrA, addrB, far(1))
			for _, e := range r.order {
				e.lastSeen = now
			}
			check := func(r *Registry, now time.Time, left time.Duration) {
				t.Helper()
				near := func(what string, got, want time.Duration) {
					t.Helper()
					if (got - want).Abs() > time.Second { // less than that is not taken for a setting
						t.Errorf("%s %v, want %v", what, got, want)
					}
				}
				if ban, ok := r.BanOf(addrA, now); !ok {
					t.Error("the ban has ended")
				} else {
					near("the ban is shown to take", ban.Until.Round(0).Sub(now.Round(0)), left)
				}
				near("the ban takes", r.bannedUntil(r.peers[addrA].key, now).Sub(now), left)
				near("it is not dialed for", r.dialTime(r.peers[addrB], now).Sub(now), left)
				if r.peers[far(1)] == nil || !within(r.peers[far(1)].record.lastSuccess, now, recent) {
					t.Error("what it has delivered is long ago")
				}
			}
			r.Ban(addrA, now)
			r.Dialing(addrB, now)
			r.DialFailed(addrB, ErrIncompatible, now)
			r.Success(far(1), Filters, 0, now)

			now = spvtest.SetBy(now.Add(time.Minute), by)
			check(r, now, day-time.Minute)
			data, err := r.Marshal(now)
			if err != nil {
				t.Fatal(err)
			}
			if err := r.Unmarshal(data, now); err != nil {
				t.Fatal(err)
			}
			check(r, now, day-time.Minute)
			now = spvtest.SetBy(now.Add(time.Minute), -by)
			check(r, now, day-2*time.Minute)
		})
	}
}

// Between two runs nothing but the clock tells how long it was. It makes no ban longer,
// and when it says that more than 30 days have passed that is not believed: neither is
// everybody forgotten nor does every ban end.
func TestClockBetweenRuns(t *testing.T) {
	for _, by := range steps {
		t.Run(by.String(), func(t *testing.T) {
			now := time.Now()
			r := fixture(t, Options{}, addrA, addrB)
			r.peers[addrB].lastSeen = now
			r.Ban(addrA, now)
			data, err := r.Marshal(now)
			if err != nil {
				t.Fatal(err)
			}
			now = now.Add(time.Second + by) // the wall's alone counts
			if err := r.Unmarshal(data, now); err != nil {
				t.Fatal(err)
			}
			if !r.Known(addrB) || r.Banned(addrA, now.Add(day)) {
				t.Errorf("known %v, banned a day later %v", r.Known(addrB), r.Banned(addrA, now.Add(day)))
			}
			passed := by >= day && by < forgetAfter // that much may have passed
			if r.Banned(addrA, now) == passed {
				t.Errorf("banned: %v", !passed)
			}
		})
	}
}
