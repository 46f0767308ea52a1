package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// results are the rows of all tables.
type results struct {
	Machine string
	Rows    []*row
}

// row is what was measured of one thing, so often as it was repeated.
type row struct {
	Table   string
	What    string
	Blocks  int
	Scripts int                  `json:",omitempty"`
	Values  map[string][]float64 // by name of the column
	Aim     string               `json:",omitempty"`
	Stacks  []share              `json:",omitempty"` // where its CPU time went
	Others  float64              `json:",omitempty"` // cores that other processes kept busy meanwhile
	Command string               // what measured it
	Date    string
}

// What is measured; the name is told to people.
const (
	product = "dcrspv"
	rival   = "dcrwallet"
	hybrid  = "dcrwallet on dcrspv"
)

// resultsFile is the file in --out.
const resultsFile = "results.json"

// openResults reads what an earlier run has left in dir.
func openResults(dir string) (*results, error) {
	r := new(results)
	if dir == "" {
		return r, nil
	}
	data, err := os.ReadFile(filepath.Join(dir, resultsFile))
	if errors.Is(err, fs.ErrNotExist) {
		return r, nil
	}
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(data, r); err != nil {
		return nil, fmt.Errorf("%s: %w", resultsFile, err)
	}
	return r, nil
}

// is tells whether two rows measure the same.
func (r *row) is(o *row) bool {
	return r.Table == o.Table && r.What == o.What && r.Blocks == o.Blocks && r.Scripts == o.Scripts
}

// add puts in a row, in place of an older one that measured the same.
func (r *results) add(b *bench, new *row) {
	new.Command, new.Date = b.command, time.Now().UTC().Format(time.DateOnly)
	new.Others = b.others.cores()
	r.Machine = machine()
	for i, old := range r.Rows {
		if old.is(new) {
			r.Rows[i] = new
			return
		}
	}
	r.Rows = append(r.Rows, new)
}

// of returns the rows of a table by blocks, then scripts, then name.
func (r *results) of(table string) []*row {
	var rows []*row
	for _, t := range tables {
		if t.name == table && t.derive != nil {
			return t.derive(r)
		}
	}
	for _, row := range r.Rows {
		if row.Table == table {
			rows = append(rows, row)
		}
	}
	slices.SortFunc(rows, func(a, b *row) int {
		if a.Blocks != b.Blocks {
			return a.Blocks - b.Blocks
		}
		return cmp.Or(a.Scripts-b.Scripts, strings.Compare(a.What, b.What))
	})
	return rows
}

// put adds a value to a column.
func (r *row) put(column string, v float64) {
	if r.Values == nil {
		r.Values = make(map[string][]float64)
	}
	r.Values[column] = append(r.Values[column], v)
}

// median is that of a column; ok is false if it has no values.
func (r *row) median(column string) (v float64, ok bool) {
	values := slices.Sorted(slices.Values(r.Values[column]))
	n := len(values)
	if n == 0 {
		return 0, false
	}
	return (values[(n-1)/2] + values[n/2]) / 2, true
}

// machine describes where the figures are from.
func machine() string {
	cpu := runtime.GOARCH
	if data, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(data)) {
			if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
				cpu = strings.TrimSpace(value)
				break
			}
		}
	}
	return fmt.Sprintf("%s, %d cores, %s, %s", cpu, runtime.NumCPU(), runtime.GOOS, runtime.Version())
}

// write makes all files that the options ask for, and prints the tables.
func (r *results) write(opts *options, out io.Writer) error {
	fmt.Fprint(out, "\n", r.markdown())
	if opts.Out != "" {
		data, err := json.MarshalIndent(r, "", "\t")
		if err != nil {
			return err
		}
		files := r.pictures()
		files[resultsFile] = string(data) + "\n"
		files["tables.md"] = r.markdown()
		for name, text := range files {
			if err := os.WriteFile(filepath.Join(opts.Out, name), []byte(text), 0o644); err != nil {
				return err
			}
		}
	}
	if opts.Page != "" {
		return r.writePage(opts.Page)
	}
	return nil
}
