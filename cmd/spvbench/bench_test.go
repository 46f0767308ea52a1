package main

import (
	"fmt"
	"io"
	"testing"
)

// BenchmarkMatch is one filter of the usual size against a number of scripts:
// the product's way and dcrd's.
func BenchmarkMatch(b *testing.B) {
	cases := filterCases(1000)
	for _, n := range matchScripts {
		scripts := nobody(n)
		for _, way := range []struct {
			name string
			m    matcher
		}{{"dcrspv", matchProduct(scripts)}, {"MatchAny", matchAny(scripts)}} {
			b.Run(fmt.Sprintf("%s/scripts=%d", way.name, n), func(b *testing.B) {
				b.ReportAllocs()
				i := 0
				for b.Loop() {
					if err := way.m(cases[i%len(cases)]); err != nil {
						b.Fatal(err)
					}
					i++
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/script")
			})
		}
	}
}

// BenchmarkFirstSync is a first sync by a process of its own, over TCP.
func BenchmarkFirstSync(b *testing.B) {
	for _, blocks := range []int{2_000, 10_000} {
		b.Run(fmt.Sprintf("blocks=%d", blocks), func(b *testing.B) {
			opts := &options{Cache: b.TempDir(), Work: b.TempDir()}
			run, err := newBench(opts, io.Discard)
			if err != nil {
				b.Fatal(err)
			}
			defer run.close()
			run.world = worldOf(blocks)
			if err := run.startServer(b.Context()); err != nil {
				b.Fatal(err)
			}
			var wall, cpu, mallocs float64
			for b.Loop() {
				dir, err := run.fresh("sync")
				if err != nil {
					b.Fatal(err)
				}
				s, err := run.sample(b.Context(), run.product, run.spec(dir), nil)
				if err != nil {
					b.Fatal(err)
				}
				wall, cpu, mallocs = wall+s.Wall, cpu+s.CPU, mallocs+float64(s.Mallocs)
			}
			all := float64(b.N * blocks)
			b.ReportMetric(wall*1e9/all, "ns/block")
			b.ReportMetric(cpu*1e9/all, "cpu-ns/block")
			b.ReportMetric(mallocs/all, "allocs/block")
		})
	}
}
