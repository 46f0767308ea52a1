package registry

import "time"

const (
	doubtMin = 30 * time.Second
	doubtMax = 24 * time.Hour

	// maxDoubts bounds the machines remembered.
	maxDoubts = 1000
)

// doubt is what failed claims leave behind. It belongs to the machine: neither a
// new connection nor a new port gets rid of it.
type doubt struct {
	failures int       // claims in a row that failed
	until    time.Time // until then nothing that it says is believed
}

// doubts are the doubts of all machines, by ban key.
type doubts map[string]doubt

// add adds a failure to those of a machine. If there are too many machines, the
// one is forgotten that is believed again first.
func (ds doubts) add(key string, now time.Time) {
	d := ds[key]
	d.failures++
	d.until = now.Add(doubling(doubtMin, d.failures, doubtMax))
	ds[key] = d
	if len(ds) <= maxDoubts {
		return
	}
	soonest := key
	for k, other := range ds {
		if other.until.Before(ds[soonest].until) {
			soonest = k
		}
	}
	delete(ds, soonest)
}

// believed tells whether a machine is believed what it says.
func (ds doubts) believed(key string, now time.Time) bool { return !now.Before(ds[key].until) }

// forget forgets all doubts about a machine.
func (ds doubts) forget(key string) { delete(ds, key) }
