package main

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// someResults have rows of several tables.
func someResults() *results {
	r := new(results)
	b := &bench{command: "spvbench --blocks 1000"}
	for _, blocks := range []int{100_000, 10_000} {
		for i, what := range []string{product, rival} {
			row := &row{Table: "sync", What: what, Blocks: blocks, Stacks: []share{{"matching", 2}, {"wallet", 0.5}}}
			for _, factor := range []float64{1, 3, 1.5} {
				row.put("wall", factor*float64(blocks*(1+i)))
				row.put("cpu", float64(blocks))
			}
			row.put("disk", 1.5)
			r.add(b, row)
		}
	}
	for _, scripts := range []int{20, 1000} {
		row := &row{Table: "match", What: "a", Scripts: scripts}
		row.put("block", float64(scripts))
		r.add(b, row)
	}
	return r
}

func TestTable(t *testing.T) {
	r := someResults()
	text := r.table(tables[0])
	want := []string{
		"| dcrspv | 10,000 | 15,000.00 (10,000.00 to 30,000.00) | 10,000.00 |",
		"| dcrwallet | 100,000 |",
		"Made by `spvbench --blocks 1000`, ",
	}
	for _, part := range want {
		if !strings.Contains(text, part) {
			t.Errorf("no %q in\n%s", part, text)
		}
	}
	if strings.Index(text, "10,000 |") > strings.Index(text, "100,000 |") {
		t.Error("rows are not by blocks")
	}
}

func TestRowsAreRenewed(t *testing.T) {
	r := someResults()
	n := len(r.Rows)
	row := &row{Table: "sync", What: product, Blocks: 10_000}
	row.put("wall", 7)
	r.add(&bench{command: "again"}, row)
	if len(r.Rows) != n {
		t.Errorf("%d rows, want %d", len(r.Rows), n)
	}
	if got, _ := r.of("sync")[0].median("wall"); got != 7 {
		t.Errorf("median %v, want 7", got)
	}
}

func TestGrowth(t *testing.T) {
	rows := growth(someResults())
	if len(rows) != 2 {
		t.Fatalf("%d rows", len(rows))
	}
	for column, want := range map[string]float64{"blocks": 10, "wall": 10, "cpu": 10, "disk": 10} {
		if got, _ := rows[0].median(column); got != want {
			t.Errorf("%s: %v times, want %v", column, got, want)
		}
	}
	if _, ok := rows[0].median("rss"); ok {
		t.Error("memory was not measured, but has grown")
	}
}

func TestPicturesAreXML(t *testing.T) {
	pictures := someResults().pictures()
	for _, name := range []string{"sync.svg", "match.svg", "where.svg"} {
		if pictures[name] == "" {
			t.Errorf("no %s", name)
		}
	}
	for name, text := range pictures {
		dec := xml.NewDecoder(strings.NewReader(text))
		for {
			_, err := dec.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		if strings.Contains(text, "NaN") || strings.Contains(text, "Inf") {
			t.Errorf("%s: no number", name)
		}
	}
}

func TestPage(t *testing.T) {
	path := filepath.Join(t.TempDir(), "page.md")
	const before = "Words.\n<!-- sync -->\nold\n<!-- /sync -->\nMore.\n<!-- slow -->\nkept\n<!-- /slow -->\n"
	if err := os.WriteFile(path, []byte(before), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time changes nothing
		if err := someResults().writePage(path); err != nil {
			t.Fatal(err)
		}
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	page := string(data)
	if strings.Contains(page, "old") || !strings.Contains(page, "kept") || strings.Count(page, "| what |") != 1 ||
		!strings.HasPrefix(page, "Words.\n<!-- sync -->\n\n| what |") || !strings.Contains(page, "\n<!-- /sync -->\nMore.\n") {
		t.Errorf("the page is\n%s", page)
	}
}

func TestNumbers(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 123456: "123,456", 1234567: "1,234,567"} {
		if got := thousands(n); got != want {
			t.Errorf("%d is %s", n, got)
		}
	}
	if got := number(12345.678, 1); got != "12,345.7" {
		t.Errorf("12345.678 is %s", got)
	}
}

func TestSumTraces(t *testing.T) {
	const traces = `File: spvbench
Type: cpu
Duration: 1s, Total samples = 170ms (17.00%)
-----------+-------------------------------------------------------
     100ms   runtime.memmove
             dcrspv/filters.decode
             dcrspv/spv.matchStored
-----------+-------------------------------------------------------
      50ms   dcrspv/wallet.(*Wallet).Apply
-----------+-------------------------------------------------------
      20ms   runtime.futex
             runtime.schedule
-----------+-------------------------------------------------------
`
	want := []share{{"matching", 0.1}, {"wallet", 0.05}, {"scheduler and the rest", 0.02}}
	if got := sumTraces([]byte(traces)); !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
