package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// table is something to measure.
type table struct {
	name    string
	title   string
	columns []column
	serves  bool // needs the serving process
	once    bool // does not depend on the chain: only measured once
	asked   bool // measured only if --only names it: it takes long
	measure func(ctx context.Context, b *bench) error
	derive  func(r *results) []*row // rows that follow from those of other tables
}

// tables are all there are, in the order in which they are measured. The last
// ones change the chain that is served.
var tables []*table

func init() {
	tables = []*table{
		{name: "sync", title: "First sync", columns: syncColumns, serves: true, measure: measureSync},
		{name: "bare", title: "First sync, and the work that nobody can leave out", columns: bareColumns, serves: true, measure: measureBare},
		{name: "growth", title: "Growth from one chain size to the next", columns: growthColumns, once: true, derive: growth},
		{name: "weak", title: "First sync on a weak machine: one core, a memory limit of 100 MB", columns: syncColumns, serves: true, measure: measureWeak},
		{name: "latency", title: "First sync with a round trip of 50 ms", columns: latencyColumns, serves: true, measure: measureLatency},
		{name: "slow", title: "One of eight peers has a hundredth of the bandwidth", columns: slowColumns, serves: true, measure: measureSlow},
		{name: "stall", title: "One of eight peers stalls", columns: slowColumns, serves: true, measure: measureStall},
		{name: "rescan", title: "Rescan of all stored blocks", columns: rescanColumns, serves: true, measure: measureRescan},
		{name: "wallets", title: "Many wallets scan all stored blocks, and one that has all of their scripts", columns: walletsColumns, serves: true, measure: measureWallets},
		{name: "start", title: "Start with a complete store", columns: startColumns, serves: true, measure: measureStart},
		{name: "block", title: "A new block, from its announcement to the event of the wallet", columns: blockColumns, serves: true, measure: measureBlock},
		{name: "flood", title: "Beside eight peers that flood", columns: floodColumns, serves: true, once: true, asked: true, measure: measureFlood},
		{name: "match", title: "Matching a script against a filter", columns: matchColumns, once: true, measure: measureMatch},
	}
}

var syncColumns = []column{
	{"wall", "synced, s", 2}, {"cpu", "CPU, s", 2}, {"rss", "resident, MB", 0}, {"anon", "of that not of files, MB", 0},
	{"disk", "disk / raw bytes", 2}, {"us", "us a block", 2}, {"mallocs", "allocations a block", 1},
	{"bytes", "bytes allocated a block", 0}, {"traffic", "traffic / raw bytes", 2}, {"peer", "CPU of all peers, s", 2},
}

// takeSync takes down a first sync.
func (r *row) takeSync(b *bench, s *sample, dir string) error {
	disk, err := size(dir)
	if err != nil {
		return err
	}
	raw := float64(b.hello.Headers + b.hello.Filters)
	blocks := float64(b.world.Blocks)
	r.put("wall", s.Wall)
	r.put("cpu", s.CPU)
	r.put("peer", s.Peer)
	r.put("rss", float64(s.PeakRSS)/1e6)
	r.put("anon", float64(s.PeakAnon)/1e6)
	r.put("disk", float64(disk)/raw)
	r.put("us", s.Wall*1e6/blocks)
	r.put("mallocs", float64(s.Mallocs)/blocks)
	r.put("bytes", float64(s.AllocBytes)/blocks)
	r.put("traffic", s.Sent/raw)
	return nil
}

// firstSync measures a client's first sync as often as asked for, and adds the
// row.
func (b *bench) firstSync(ctx context.Context, r *row, c client) error {
	r.Blocks = b.world.Blocks
	for i := range b.opts.Repeat {
		dir, err := b.fresh("sync")
		if err != nil {
			return err
		}
		spec := b.spec(dir)
		if i == 0 {
			b.profiles(&spec, r)
		}
		s, err := b.sample(ctx, c, spec, nil)
		if err != nil {
			return err
		}
		if err := r.takeSync(b, s, dir); err != nil {
			return err
		}
		if i == 0 && spec.CPUProfile != "" && r.Table == "sync" && r.What == product {
			if r.Stacks, err = whereTimeGoes(ctx, spec.CPUProfile); err != nil {
				return err
			}
		}
		b.progress("%s blocks, %s, %s: synced in %.2f s, %.2f s of CPU, %.0f MB",
			thousands(r.Blocks), r.Table, r.What, s.Wall, s.CPU, float64(s.PeakRSS)/1e6)
	}
	b.results.add(b, r)
	return nil
}

// profiles asks a client for the profiles that the flags ask for.
func (b *bench) profiles(spec *clientSpec, r *row) {
	name := strings.NewReplacer(" ", "-", ",", "").Replace(fmt.Sprintf("%s-%s-%d", r.Table, r.What, b.world.Blocks))
	if b.opts.CPUProfile != "" {
		spec.CPUProfile = filepath.Join(b.opts.CPUProfile, name+".cpu")
	}
	if b.opts.MemProfile != "" {
		spec.MemProfile = filepath.Join(b.opts.MemProfile, name+".mem")
	}
}

func measureSync(ctx context.Context, b *bench) error {
	r := &row{Table: "sync", What: product}
	switch b.world.Blocks {
	case 100_000:
		r.Aim = "1.5 s, 3 s CPU, 60 MB, 1.1 times the raw bytes"
	case 1_000_000:
		r.Aim = "15 s, 60 MB"
	}
	if err := b.firstSync(ctx, r, b.product); err != nil || b.rival.command == nil {
		return err
	}
	if err := b.firstSync(ctx, &row{Table: "sync", What: rival}, b.rival); err != nil {
		return err
	}
	return b.firstSync(ctx, &row{Table: "sync", What: hybrid}, b.hybrid)
}

// measureWeak leaves the client one core and a limit of memory: a soft one by
// itself, which the garbage collector heeds, and with --under a hard one.
func measureWeak(ctx context.Context, b *bench) error {
	r := &row{Table: "weak", What: product, Aim: "works within 100 MB"}
	c := client{
		command: slices.Concat(strings.Fields(b.opts.Under), b.product.command),
		env:     []string{"GOMAXPROCS=1", "GOMEMLIMIT=100MiB"},
	}
	if b.opts.Under != "" {
		r.What += " under a hard limit"
	}
	return b.firstSync(ctx, r, c)
}
