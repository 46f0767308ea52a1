package main

import (
	"context"
	"os"
	"path/filepath"
)

var rescanColumns = []column{
	{"wall", "synced, s", 2}, {"watch", "of that filling the watch set, s", 2}, {"cpu", "CPU, s", 2},
	{"ns", "the rest, ns a script and block", 2},
	{"fetched", "blocks fetched", 0}, {"rss", "resident, MB", 0}, {"anon", "of that not of files, MB", 0},
}

// manyScripts is from where on only the last tenth of the blocks is tested: the
// time goes up with scripts times blocks, and patience does not.
const manyScripts = 100_000

// measureRescan gives the chain file of a complete sync to a new wallet with
// scripts that nobody has used. What matches, by chance, is fetched.
func measureRescan(ctx context.Context, b *bench) error {
	store, err := b.storeDir(ctx)
	if err != nil {
		return err
	}
	for _, n := range b.opts.scripts {
		r := &row{Table: "rescan", What: product, Blocks: b.world.Blocks, Scripts: n}
		if n >= manyScripts {
			r.Blocks /= 10
		}
		if b.world.Blocks == 1_000_000 {
			r.Aim = map[int]string{20: "1.5 s", 1_000: "6 s", 100_000: "linear from 1,000"}[n]
		}
		for i := range b.opts.Repeat {
			spec := clientSpec{
				Dir:     store,
				Wallet:  filepath.Join(b.work, "rescan.db"),
				Connect: b.hello.Peers,
				Scripts: n,
				From:    uint32(b.world.Blocks - r.Blocks),
			}
			if i == 0 {
				b.profiles(&spec, r)
			}
			s, err := b.sample(ctx, b.product, spec, nil)
			if err != nil {
				return err
			}
			if err := os.Remove(spec.Wallet); err != nil {
				return err
			}
			r.put("wall", s.Wall)
			r.put("cpu", s.CPU)
			r.put("watch", s.Watching)
			r.put("ns", (s.Wall-s.Watching)*1e9/float64(r.Blocks)/float64(n))
			r.put("fetched", float64(s.Requests.Blocks))
			r.put("rss", float64(s.PeakRSS)/1e6)
			r.put("anon", float64(s.PeakAnon)/1e6)
			b.progress("%s blocks, rescan of %s scripts: %.2f s, %.2f s of CPU", thousands(r.Blocks), thousands(n), s.Wall, s.CPU)
		}
		b.results.add(b, r)
	}
	return nil
}

var startColumns = []column{
	{"ms", "synced, ms", 0}, {"cpu", "CPU, s", 2}, {"rss", "resident, MB", 0}, {"anon", "of that not of files, MB", 0},
}

// measureStart starts the client again on the files of a complete sync.
func measureStart(ctx context.Context, b *bench) error {
	store, err := b.storeDir(ctx)
	if err != nil {
		return err
	}
	r := &row{Table: "start", What: product, Blocks: b.world.Blocks}
	if r.Blocks == 1_000_000 {
		r.Aim = "100 ms, 60 MB"
	}
	for i := range b.opts.Repeat {
		spec := b.spec(store)
		if i == 0 {
			b.profiles(&spec, r)
		}
		s, err := b.sample(ctx, b.product, spec, nil)
		if err != nil {
			return err
		}
		r.put("ms", s.Wall*1e3)
		r.put("cpu", s.CPU)
		r.put("rss", float64(s.PeakRSS)/1e6)
		r.put("anon", float64(s.PeakAnon)/1e6)
		b.progress("%s blocks, start: %.0f ms, %.0f MB", thousands(r.Blocks), s.Wall*1e3, float64(s.PeakRSS)/1e6)
	}
	b.results.add(b, r)
	return nil
}
