package main

import "fmt"

var growthColumns = []column{
	{"blocks", "times the blocks", 0}, {"wall", "times the time", 2}, {"cpu", "times the CPU", 2},
	{"rss", "times the memory", 2}, {"disk", "times the disk", 2},
}

// growth compares each size of a first sync with the next smaller one.
func growth(r *results) []*row {
	var rows []*row
	smaller := make(map[string]*row)
	for _, now := range r.of("sync") {
		before := smaller[now.What]
		smaller[now.What] = now
		if before == nil {
			continue
		}
		times := float64(now.Blocks) / float64(before.Blocks)
		g := &row{
			Table:   "growth",
			What:    fmt.Sprintf("%s, %s to %s blocks", now.What, thousands(before.Blocks), thousands(now.Blocks)),
			Others:  max(now.Others, before.Others),
			Command: now.Command,
			Date:    now.Date,
		}
		if now.What == product {
			g.Aim = "time no more than blocks"
		}
		g.put("blocks", times)
		for _, c := range []string{"wall", "cpu", "rss"} {
			a, okA := before.median(c)
			z, okZ := now.median(c)
			if okA && okZ && a > 0 {
				g.put(c, z/a)
			}
		}
		// The table of first syncs tells the disk in shares of the raw bytes.
		a, okA := before.median("disk")
		z, okZ := now.median("disk")
		if okA && okZ && a > 0 {
			g.put("disk", times*z/a)
		}
		rows = append(rows, g)
	}
	return rows
}
