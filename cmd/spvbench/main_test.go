package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dcrspv/spv/spvtest"
)

// TestMain lets the test binary be the processes that the program starts.
func TestMain(m *testing.M) {
	if is, err := child(os.Args[1:]); is {
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// start runs the program and returns its status and what it prints.
func start(t *testing.T, args ...string) (status int, printed string) {
	t.Helper()
	out, err := os.Create(filepath.Join(t.TempDir(), "printed"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	status = run(t.Context(), args, out, out)
	if _, err := out.Seek(0, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(out)
	if err != nil {
		t.Fatal(err)
	}
	return status, string(data)
}

// TestProgram measures short chains from end to end: whole processes, and what
// the wallet finds is checked by the program.
func TestProgram(t *testing.T) {
	out := t.TempDir()
	dirs := []string{
		"--repeat", "1", "--cache", t.TempDir(), "--work", t.TempDir(),
		"--out", out, "--memprofile", filepath.Join(out, "mem"),
	}
	for _, args := range [][]string{
		{"--blocks", "1000,2000", "--only", "growth"},
		{"--blocks", "2000", "--scripts", "20,500", "--only", "weak,rescan,start,block"},
	} {
		if status, printed := start(t, append(args, dirs...)...); status != 0 {
			t.Fatalf("status %d:\n%s", status, printed)
		}
	}
	r, err := openResults(out)
	if err != nil {
		t.Fatal(err)
	}
	for table, want := range map[string]int{"sync": 2, "growth": 1, "weak": 1, "rescan": 2, "start": 1, "block": 2} {
		rows := r.of(table)
		if len(rows) != want {
			t.Errorf("%d rows of %s, want %d", len(rows), table, want)
		}
		for _, row := range rows {
			if len(row.Values) == 0 || !strings.Contains(row.Command, "--repeat 1") {
				t.Errorf("%s: %+v", table, row)
			}
		}
	}
	if rows := r.of("block"); len(rows) > 0 && len(rows[0].Values["ms"]) != followed {
		t.Errorf("%d blocks followed, want %d", len(rows[0].Values["ms"]), followed)
	}
	for _, name := range []string{"tables.md", "sync.svg", "rescan.svg", "mem/sync-dcrspv-2000.mem"} {
		if info, err := os.Stat(filepath.Join(out, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestFlood measures one kind of flood for a short time.
func TestFlood(t *testing.T) {
	out := t.TempDir()
	status, printed := start(t, "--blocks", "1000", "--only", "flood", "--flood", "ping", "--flood-time", "2s",
		"--cache", t.TempDir(), "--work", t.TempDir(), "--out", out)
	if status != 0 {
		t.Fatalf("status %d:\n%s", status, printed)
	}
	r, err := openResults(out)
	if err != nil {
		t.Fatal(err)
	}
	rows := r.of("flood")
	if len(rows) != 2 {
		t.Fatalf("%d rows:\n%s", len(rows), printed)
	}
	alone, ping := rows[0].Values, rows[1].Values
	if len(alone["event"]) != 1 || len(ping["event"]) != 1 || len(ping["cores"]) != 1 {
		t.Errorf("alone %v, flooded %v", alone, ping)
	}
	if n := ping["connections"]; len(n) != 1 || n[0] < peerCount {
		t.Errorf("%v connections to %d flooders", n, peerCount)
	}
}

// TestFloodKinds makes what each kind sends.
func TestFloodKinds(t *testing.T) {
	s := &server{chain: spvtest.NewChain(nil), scripts: [][]byte{spvtest.Script(7)}}
	s.chain.Mine(10)
	s.peers = append(s.peers, spvtest.NewPeer(s.chain, spvtest.Behaviour{}))
	defer s.close()
	if _, err := s.listen(s.peers[0], "127.0.0.1:0", true); err != nil {
		t.Fatal(err)
	}
	for _, kind := range floodKinds {
		s.obey(order{Flood: kind.name})
		if f := s.flooders[0]; f.kind.name != kind.name || len(f.messages) == 0 {
			t.Errorf("%s: %d messages of kind %s", kind.name, len(f.messages), f.kind.name)
		}
	}
}

func TestUsage(t *testing.T) {
	for _, args := range [][]string{
		{"--blocks", "many"}, {"--blocks", "10"}, {"--scripts", "0"}, {"--only", "nothing"}, {"--repeat", "0"},
		{"--flood", "nothing"}, {"--flood-time", "1ms"}, {"sync"}, {"--what"},
	} {
		status, printed := start(t, args...)
		if status != 2 || strings.Count(printed, "\n") != 1 || !strings.HasPrefix(printed, "spvbench: ") {
			t.Errorf("%q: status %d: %s", args, status, printed)
		}
	}
	status, printed := start(t, "--help")
	if status != 0 {
		t.Errorf("--help: status %d", status)
	}
	for _, table := range tables {
		if !strings.Contains(printed, table.name) {
			t.Errorf("--help does not tell of %s", table.name)
		}
	}
	for _, kind := range floodKinds {
		if !strings.Contains(printed, kind.what) {
			t.Errorf("--help does not tell of %s", kind.name)
		}
	}
}

func TestFailureIsTold(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	status, printed := start(t, "--cache", t.TempDir(), "--work", file, "--only", "sync")
	if status != 1 || !strings.Contains(printed, "spvbench: ") {
		t.Errorf("status %d: %s", status, printed)
	}
}

// TestWorld checks that the account uses as many addresses as it should, first
// in the order of their numbers, and that a chain from its file is the same.
func TestWorld(t *testing.T) {
	w := world{Blocks: 1500, Relevant: 50, Addresses: 20}
	dir := t.TempDir()
	made, err := w.open(dir)
	if err != nil {
		t.Fatal(err)
	}
	read, err := w.open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if made.Tip() != read.Tip() || made.Height() != 1500 {
		t.Errorf("made to %v, read to %v", made.Tip(), read.Tip())
	}
	external, internal, err := w.scripts()
	if err != nil {
		t.Fatal(err)
	}
	all := slices.Concat(external, internal)
	if truth := read.Truth(all); len(truth.History) != w.Relevant || truth.Total == 0 {
		t.Errorf("%d transactions, want %d", len(truth.History), w.Relevant)
	}
	if len(all) != w.Addresses {
		t.Errorf("%d addresses, want %d", len(all), w.Addresses)
	}
	for _, branch := range [][][]byte{external, internal} {
		last := uint32(0)
		for i, script := range branch {
			history := read.Truth([][]byte{script}).History
			if len(history) == 0 || history[0].Height < last {
				t.Fatalf("address %d is not used, or before the one before", i)
			}
			last = history[0].Height
		}
	}
	var size int
	for h := range read.Height() + 1 {
		size += len(read.Filter(h))
	}
	if mean := size / 1501; mean < 235 || mean > 245 {
		t.Errorf("filters have %d bytes on average", mean)
	}
}

func TestWorldOf(t *testing.T) {
	for blocks, want := range map[int]world{
		100_000:   {100_000, 500, 200},
		1_000_000: {1_000_000, 2000, 400},
	} {
		if got := worldOf(blocks); got != want {
			t.Errorf("%d blocks: %+v", blocks, got)
		}
	}
}
