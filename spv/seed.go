package spv

import (
	"context"
	"math/rand/v2"
	"net"
	"strconv"
	"time"

	"github.com/decred/dcrd/connmgr/v3"
	"github.com/decred/dcrd/wire"
)

// seeding asks the network's HTTPS seeders for addresses while the book has too
// few. Meanwhile the addresses that are known are dialed.
type seeding struct {
	busy  bool
	after time.Time // not before
	pause time.Duration
}

const (
	// Pauses after seeders that could not be reached.
	seedPauseMin = 10 * time.Second
	seedPauseMax = 5 * time.Minute

	// seedAgain is how long an answer is enough, whatever became of it.
	seedAgain = time.Hour

	seedTimeout = time.Minute
)

// seedMore starts to ask the seeders if that is due.
func (e *engine) seedMore() {
	n, sd := e.network, &e.network.seed
	seeders := e.cfg.Params.Seeders()
	if !n.discover || len(seeders) == 0 || sd.busy || e.now.Before(sd.after) || !n.book.Needs() {
		return
	}
	sd.busy = true
	rand.Shuffle(len(seeders), func(i, k int) { seeders[i], seeders[k] = seeders[k], seeders[i] })
	e.goWorker(func() {
		var ev seeded
		for _, ev.seeder = range seeders {
			if ev.addrs, ev.err = e.askSeeder(ev.seeder); len(ev.addrs) > 0 {
				break
			}
		}
		e.post(ev)
	})
}

func (e *engine) askSeeder(seeder string) ([]string, error) {
	ctx, cancel := context.WithTimeout(e.ctx, seedTimeout)
	defer cancel()
	found, err := connmgr.SeedAddrs(ctx, seeder, connmgr.DialFunc(e.cfg.Dial),
		connmgr.SeedFilterServices(wire.SFNodeNetwork))
	if err != nil {
		e.logs.registry.Infof("Seeder %s: %v", seeder, err)
		return nil, err
	}
	addrs := make([]string, 0, len(found))
	for _, a := range found {
		addrs = append(addrs, net.JoinHostPort(a.IP.String(), strconv.Itoa(int(a.Port))))
	}
	return addrs, nil
}

// seeded: a seeder has given addresses, or none has; err is what the last one has
// failed with.
type seeded struct {
	seeder string
	addrs  []string
	err    error
}

func (ev seeded) apply(e *engine) {
	sd := &e.network.seed
	sd.busy = false
	e.trouble.seeded(ev.err)
	if len(ev.addrs) == 0 {
		sd.pause = min(max(2*sd.pause, seedPauseMin), seedPauseMax)
		sd.after = e.now.Add(sd.pause)
		return
	}
	sd.pause = 0
	sd.after = e.now.Add(seedAgain)
	e.network.book.Add(ev.addrs, ev.seeder)
	e.logs.registry.Infof("Seeder %s told %d addresses", ev.seeder, len(ev.addrs))
}

// gossip: a peer has sent addresses of others.
type gossip struct {
	s     *session
	addrs []string
}

func (ev gossip) apply(e *engine) {
	if e.network.book != nil {
		e.network.book.Add(ev.addrs, ev.s.addr)
	}
}
