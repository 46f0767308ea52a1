package chaindb

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"

	"dcrspv/spv/chain"
)

// benchChain has filters of 200 bytes on average.
func benchChain(b *testing.B, n int) *testChain {
	rules := simnetRules()
	c := genesisChain(rules)
	c.extend(rules, rand.New(rand.NewPCG(1, 1)), n, 400, false)
	return c
}

// payload is what a chain's blocks have in bytes.
func (c *testChain) payload() int64 {
	n := int64(len(c.headers)) * chain.HeaderSize
	for _, f := range c.filters {
		n += int64(len(f))
	}
	return n
}

// BenchmarkWrite writes a chain, headers first, then filters in batches.
func BenchmarkWrite(b *testing.B) {
	const blocks = 50000
	c := benchChain(b, blocks)
	for _, batch := range []int{100, 500, 1000, 2000} {
		b.Run(fmt.Sprintf("filters=%d", batch), func(b *testing.B) {
			b.SetBytes(c.payload())
			var size int64
			for b.Loop() {
				path := testPath(b)
				db := openTest(b, path, simnetRules())
				for at := 1; at < len(c.headers); at += 2000 {
					end := min(at+2000, len(c.headers))
					if err := db.ReplaceHeaders(uint32(at-1), c.headers[at:end], c.work[end-1]); err != nil {
						b.Fatal(err)
					}
				}
				for at := 1; at < len(c.filters); at += batch {
					end := min(at+batch, len(c.filters))
					if err := db.PutFilters(uint32(at), c.filters[at:end]); err != nil {
						b.Fatal(err)
					}
				}
				info, err := os.Stat(path)
				if err != nil {
					b.Fatal(err)
				}
				size = info.Size()
				db.Close()
			}
			b.ReportMetric(float64(size)/blocks, "B/block")
			b.ReportMetric(float64(size)/float64(c.payload()), "file/payload")
		})
	}
}

// BenchmarkFollow adds single blocks at the tip.
func BenchmarkFollow(b *testing.B) {
	c := benchChain(b, 20000)
	db := openTest(b, testPath(b), simnetRules())
	const start = 5000
	c.fork(start).store(b, db, 0)
	at := uint32(start)
	for b.Loop() {
		at++
		if at == c.tip() {
			at = start + 1
		}
		if err := db.ReplaceHeaders(at-1, c.headers[at:at+1], c.work[at]); err != nil {
			b.Fatal(err)
		}
		if err := db.PutFilters(at, c.filters[at:at+1]); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRead(b *testing.B) {
	c := benchChain(b, 50000)
	path := testPath(b)
	db := openTest(b, path, simnetRules())
	c.store(b, db, 0)
	b.Run("Blocks", func(b *testing.B) {
		b.SetBytes(c.payload())
		n := 0
		for b.Loop() {
			err := db.Blocks(chain.Range{From: 0, To: c.tip()}, func(_ uint32, h *chain.Header, f []byte) bool {
				n += int(h.Height()) + len(f)
				return true
			})
			if err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("Header", func(b *testing.B) {
		for i := uint32(0); b.Loop(); i++ {
			if _, err := db.Header(i % 50000); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("Open", func(b *testing.B) {
		db.Close()
		for b.Loop() {
			db, err := Open(path, simnetRules())
			if err != nil {
				b.Fatal(err)
			}
			db.Close()
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	const blocks = 100_000
	rules := simnetRules()
	c := genesisChain(rules)
	c.extend(rules, rand.New(rand.NewPCG(1, 1)), blocks, 400, true)
	db := openTest(b, testPath(b), rules)
	c.store(b, db, 0)
	run := func(b *testing.B) {
		for b.Loop() {
			if _, err := db.Verify(context.Background(), nil); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/blocks, "ns/block")
		b.ReportMetric(float64(b.N)*blocks/b.Elapsed().Seconds(), "blocks/s")
	}
	b.Run("filters", run)
	if err := db.DropFilters(chain.Range{From: 1, To: blocks}); err != nil {
		b.Fatal(err)
	}
	b.Run("headers", run)
}
