//go:build unix

package dbfile

import (
	"errors"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// TestPipe: a pipe in the place of the file would have Open wait for a writer.
// Rule 24.
func TestPipe(t *testing.T) {
	path := testPath(t)
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path, Options{}); !errors.Is(err, ErrNotFile) || !strings.Contains(err.Error(), "pipe") {
		t.Error(err)
	}
}

const littleSpace = "DBFILE_TEST_SPACE" // set for the process that has little

// TestLittleAddressSpace: where there is no room for the mapping that is asked for, a
// smaller one is made. The limit holds for a process, so it is one of its own.
// Rule 24.
func TestLittleAddressSpace(t *testing.T) {
	path := testPath(t)
	if os.Getenv(littleSpace) == "" {
		put(t, opened(t, path), 20)
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestLittleAddressSpace$")
		cmd.Env = append(os.Environ(), littleSpace+"=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	limit := syscall.Rlimit{Cur: 64 << 30, Max: 64 << 30}
	if err := syscall.Setrlimit(syscall.RLIMIT_AS, &limit); err != nil {
		t.Fatal(err)
	}
	f, err := Open(path, Options{MapBytes: 1 << (strconv.IntSize - 27), GrowBytes: 16 << 10})
	if err != nil {
		t.Fatal(err)
	}
	put(t, f, 20)
	if err := errors.Join(readAll(f), f.Close()); err != nil {
		t.Fatal(err)
	}
}
