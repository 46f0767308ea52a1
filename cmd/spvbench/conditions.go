package main

import (
	"context"
	"fmt"
	"time"

	"github.com/decred/dcrd/wire"
)

// roundTrip is the time between a request and its answer in the table latency.
const roundTrip = 50 * time.Millisecond

// Bandwidth of the usual peers in the tables slow and stall, and of the slow one.
const (
	usualBandwidth = 10_000_000 // bytes a second
	slowBandwidth  = usualBandwidth / 100
)

var latencyColumns = []column{
	{"wall", "synced, s", 2}, {"floor", "floor, s", 2}, {"ratio", "synced / floor", 2}, {"cpu", "CPU, s", 2},
}

// measureLatency compares with the time that headers take if one batch of 2000
// is asked for after the other.
func measureLatency(ctx context.Context, b *bench) error {
	manners := make([]manner, peerCount)
	for i := range manners {
		manners[i].Latency = roundTrip
	}
	if _, err := b.server.order(order{Manners: manners}); err != nil {
		return err
	}
	r := &row{Table: "latency", What: product, Aim: "1.3 times the floor"}
	if err := b.firstSync(ctx, r, b.product); err != nil {
		return err
	}
	rows := []*row{r}
	if b.rival.command != nil {
		r := &row{Table: "latency", What: rival}
		if err := b.firstSync(ctx, r, b.rival); err != nil {
			return err
		}
		rows = append(rows, r)
	}
	trips := (b.world.Blocks + wire.MaxBlockHeadersPerMsg - 1) / wire.MaxBlockHeadersPerMsg
	floor := float64(trips) * roundTrip.Seconds()
	for _, r := range rows {
		r.Values["floor"] = []float64{floor}
		for _, wall := range r.Values["wall"] {
			r.put("ratio", wall/floor)
		}
	}
	return nil
}

var slowColumns = []column{
	{"wall", "synced, s", 2}, {"ratio", "against without it", 2}, {"cpu", "CPU, s", 2},
}

func measureSlow(ctx context.Context, b *bench) error {
	return b.oddPeer(ctx, "slow", fmt.Sprintf("7 peers of %d MB/s and one of %d kB/s", usualBandwidth/1_000_000, slowBandwidth/1000),
		manner{Bandwidth: slowBandwidth})
}

func measureStall(ctx context.Context, b *bench) error {
	return b.oddPeer(ctx, "stall", "7 peers and one that stalls", manner{Bandwidth: usualBandwidth, Stalls: true})
}

// oddPeer compares seven usual peers with the same and an odd one, which is the
// first in the client's list. The two take turns, so that what else the machine
// does hits both.
func (b *bench) oddPeer(ctx context.Context, name, what string, odd manner) error {
	manners := []manner{odd}
	for len(manners) < peerCount {
		manners = append(manners, manner{Bandwidth: usualBandwidth})
	}
	if _, err := b.server.order(order{Manners: manners}); err != nil {
		return err
	}
	without := &row{Table: name, What: fmt.Sprintf("7 peers of %d MB/s", usualBandwidth/1_000_000), Blocks: b.world.Blocks}
	with := &row{Table: name, What: what, Blocks: b.world.Blocks, Aim: "at most 1.10"}
	for range b.opts.Repeat {
		for _, r := range []*row{without, with} {
			dir, err := b.fresh("sync")
			if err != nil {
				return err
			}
			spec := b.spec(dir)
			if r == without {
				spec.Connect = spec.Connect[1:]
			}
			s, err := b.sample(ctx, b.product, spec, nil)
			if err != nil {
				return err
			}
			r.put("wall", s.Wall)
			r.put("cpu", s.CPU)
			b.progress("%s blocks, %s, %s: %.2f s", thousands(r.Blocks), name, r.What, s.Wall)
		}
	}
	base, _ := without.median("wall")
	for _, wall := range with.Values["wall"] {
		with.put("ratio", wall/base)
	}
	b.results.add(b, without)
	b.results.add(b, with)
	return nil
}
