package main

// pictures draws what there are rows for; by file name.
func (r *results) pictures() map[string]string {
	files := make(map[string]string)
	add := func(name, title, xName, yName string, lines []series) {
		if len(lines) > 0 {
			files[name] = lineChart(title, xName, yName, lines)
		}
	}
	blocks := func(row *row) float64 { return float64(row.Blocks) }
	scripts := func(row *row) float64 { return float64(row.Scripts) }
	add("sync.svg", "First sync: time over blocks", "blocks", "seconds",
		append(r.lines("sync", "wall", ", synced", blocks), r.lines("sync", "cpu", ", CPU", blocks)...))
	add("memory.svg", "First sync: memory over blocks", "blocks", "MB resident at most", r.lines("sync", "rss", "", blocks))
	add("match.svg", "Matching one filter: time over scripts", "scripts", "microseconds a block", r.lines("match", "block", "", scripts))
	if rows := r.of("rescan"); len(rows) > 0 {
		largest := &results{}
		for _, row := range rows {
			if row.Blocks == rows[len(rows)-1].Blocks {
				largest.Rows = append(largest.Rows, row)
			}
		}
		title := "Rescan of " + thousands(rows[len(rows)-1].Blocks) + " blocks: time over scripts"
		add("rescan.svg", title, "scripts", "seconds",
			append(largest.lines("rescan", "wall", ", synced", scripts), largest.lines("rescan", "cpu", ", CPU", scripts)...))
	}
	var bars []bar
	for _, row := range r.of("sync") {
		if len(row.Stacks) > 0 {
			bars = append(bars, bar{thousands(row.Blocks), row.Stacks})
		}
	}
	if len(bars) > 0 {
		files["where.svg"] = barChart("First sync: where the CPU time goes, by blocks", bars)
	}
	return files
}

// lines makes a line of each thing in a table, through the medians of a column.
// One point is no line.
func (r *results) lines(table, column, suffix string, x func(*row) float64) []series {
	var all []series
	index := make(map[string]int)
	for _, row := range r.of(table) {
		y, ok := row.median(column)
		if !ok || y <= 0 || x(row) <= 0 {
			continue
		}
		i, seen := index[row.What]
		if !seen {
			i = len(all)
			index[row.What] = i
			all = append(all, series{name: row.What + suffix})
		}
		all[i].points = append(all[i].points, [2]float64{x(row), y})
	}
	var lines []series
	for _, s := range all {
		if len(s.points) > 1 {
			lines = append(lines, s)
		}
	}
	return lines
}
