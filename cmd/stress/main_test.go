package main

import (
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// sample is a test that writes down that it runs, waits for the other end of a
// connection if it is given an address, and fails if it is told to.
const sample = `package sample

import (
	"fmt"
	"io"
	"net"
	"os"
	"testing"
)

func Test(t *testing.T) {
	runs, err := os.OpenFile("runs", os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintln(runs, "GOMAXPROCS="+os.Getenv("GOMAXPROCS"))
	runs.Close()
	if addr := os.Getenv("SAMPLE_WAITS"); addr != "" {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, conn)
	}
	if os.Getenv("SAMPLE_FAILS") != "" {
		for i := range 100 {
			fmt.Println("line", i)
		}
		t.Fatal("as it was told")
	}
}
`

// enterSample makes a module with the sample test the current directory.
func enterSample(t *testing.T) {
	t.Helper()
	t.Chdir(t.TempDir())
	writeFile(t, "go.mod", "module sample\n\ngo 1.26\n")
	writeFile(t, "sample_test.go", sample)
	t.Setenv("GOMAXPROCS", "")
	t.Setenv("SAMPLE_WAITS", "")
	t.Setenv("SAMPLE_FAILS", "")
}

func writeFile(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// listen returns a listener for tests that wait.
func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	t.Setenv("SAMPLE_WAITS", l.Addr().String())
	return l
}

// stressed runs the program with a state file in the current directory. It
// returns the status, what was printed, and what each run of the sample wrote.
func stressed(t *testing.T, args ...string) (status int, printed string, runs []string) {
	t.Helper()
	if err := os.RemoveAll("runs"); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	status = run(t.Context(), append([]string{"--state", "state.json"}, args...), &out)
	written, err := os.ReadFile("runs")
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return status, out.String(), strings.Fields(string(written))
}

func TestPassedRoundsAreNotRunAgain(t *testing.T) {
	enterSample(t)
	for _, step := range []struct {
		what   string
		change string
		rounds int
		want   int
	}{
		{"at first", "", 3, 3},
		{"again", "", 3, 0},
		{"with more rounds", "", 5, 2},
		{"after a change", strings.Replace(sample, "100", "101", 1), 5, 5},
	} {
		if step.change != "" {
			writeFile(t, "sample_test.go", step.change)
		}
		status, printed, runs := stressed(t, "--mode", "single", "--rounds", strconv.Itoa(step.rounds))
		if status != 0 || len(runs) != step.want {
			t.Fatalf("%s: status %d, %d rounds were run, want %d:\n%s", step.what, status, len(runs), step.want, printed)
		}
		if slices.ContainsFunc(runs, func(line string) bool { return line != "GOMAXPROCS=1" }) {
			t.Errorf("%s: single has run with %q", step.what, runs)
		}
	}
}

// Each of the copies waits for the last one.
func TestLoadRunsTenCopiesForEachProcessorAtOnce(t *testing.T) {
	enterSample(t)
	l := listen(t)
	copies := 10 * runtime.NumCPU()
	go func() {
		var conns []net.Conn
		for range copies {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			conns = append(conns, conn)
		}
		for _, conn := range conns {
			conn.Close()
		}
	}()
	status, printed, runs := stressed(t, "--mode", "load", "--rounds", "1")
	if status != 0 || len(runs) != copies {
		t.Fatalf("status %d, %d rounds, want %d:\n%s", status, len(runs), copies, printed)
	}
}

func TestWhatIsMissingUnderLoadIsRunUnderLoad(t *testing.T) {
	s := shard{mode: mode{copies: 20, least: 20}, rounds: 50}
	for passed, want := range map[int]int{0: 60, 29: 40, 30: 20, 49: 20, 50: 0, 60: 0} {
		if got := s.missing(passed); got != want {
			t.Errorf("after %d of 50 rounds %d are run, want %d", passed, got, want)
		}
	}
}

func TestFailureIsShownAndOthersGoOn(t *testing.T) {
	enterSample(t)
	if err := os.Mkdir("broken", 0o755); err != nil {
		t.Fatal(err)
	}
	writeFile(t, "broken/broken_test.go", "package broken\n\nvar x int = nil\n")
	t.Setenv("SAMPLE_FAILS", "yes")
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	t.Setenv("TMP", temp) // what Windows calls it
	for range 2 {         // a failure does not count as passed
		status, printed, runs := stressed(t, "--mode", "single")
		for _, want := range []string{
			"FAIL sample single: round ", "line 99\n", "as it was told",
			"FAIL sample/broken single: building the tests", "0 shards passed, 2 failed, 0 are not finished",
		} {
			if !strings.Contains(printed, want) {
				t.Errorf("%q is not in:\n%s", want, printed)
			}
		}
		if status != 1 || len(runs) == 0 || strings.Contains(printed, "line 60\n") {
			t.Errorf("status %d after %d rounds, or more than the last lines:\n%s", status, len(runs), printed)
		}
		outputs, err := filepath.Glob(filepath.Join(temp, "*"))
		if err != nil || len(outputs) == 0 {
			t.Fatalf("no file with the output: %v", err)
		}
		for _, name := range outputs {
			if !strings.Contains(printed, "all of the output: "+name) {
				t.Errorf("%s is left, and not named in:\n%s", name, printed)
			}
			whole, err := os.ReadFile(name)
			if err != nil || !strings.Contains(string(whole), "line 0\n") {
				t.Errorf("%s is not all of the output: %v", name, err)
			}
			if err := os.Remove(name); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestRoundsBeyondTheTimeAreNeitherPassedNorFailed(t *testing.T) {
	enterSample(t)
	listen(t) // and nobody answers
	status, printed, _ := stressed(t, "--mode", "single", "--for", "1s")
	if status != 0 || !strings.Contains(printed, "0 shards passed, 0 failed, 1 are not finished") {
		t.Errorf("status %d:\n%s", status, printed)
	}
	t.Setenv("SAMPLE_WAITS", "")
	if _, printed, runs := stressed(t, "--mode", "single", "--rounds", "2"); len(runs) != 2 {
		t.Errorf("%d rounds, want 2:\n%s", len(runs), printed)
	}
}

func TestRealNodesAreLeftOutUnlessNamed(t *testing.T) {
	for pattern, want := range map[string]int{"../dcrspv/...": 3, "../dcrspv/realnodes": 3, "../dcrspv": 3} {
		shards, err := list(t.Context(), &options{mode: "all", packages: []string{pattern}})
		if err != nil || len(shards) != want {
			t.Errorf("%s: %v, %v, want one package in three modes", pattern, shards, err)
		}
	}
}

func TestSeedsShuffleTheShards(t *testing.T) {
	orders := make(map[string]bool)
	for seed := range uint64(8) {
		for range 2 { // the same seed, the same order
			shards := []shard{{pkg: "a"}, {pkg: "b"}, {pkg: "c"}}
			shuffle(shards, seed)
			orders[shards[0].pkg+shards[1].pkg+shards[2].pkg] = true
		}
	}
	if len(orders) < 2 || len(orders) > 6 {
		t.Errorf("8 seeds make %d orders of three", len(orders))
	}
}

func TestWrongUsage(t *testing.T) {
	for _, args := range [][]string{{"--mode", "fast"}, {"--rounds", "0"}, {"--for", "-1s"}, {"--unknown"}} {
		if status := run(t.Context(), args, new(strings.Builder)); status != 2 {
			t.Errorf("%q: status %d, want 2", args, status)
		}
	}
	var help strings.Builder
	if status := run(t.Context(), []string{"--help"}, &help); status != 0 || !strings.Contains(help.String(), "realnodes is left out") {
		t.Errorf("--help: status %d:\n%s", status, &help)
	}
	enterSample(t)
	writeFile(t, "state.json", "{")
	if status, printed, _ := stressed(t); status != 1 || !strings.Contains(printed, "delete it") {
		t.Errorf("damaged state: status %d:\n%s", status, printed)
	}
}
