package wallet

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
)

// whileFull lets no file grow above a size, as a full disk does.
func whileFull(t *testing.T, size int64, fn func()) {
	t.Helper()
	signal.Ignore(syscall.SIGXFSZ)
	defer signal.Reset(syscall.SIGXFSZ)
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
	full := limit
	full.Cur = uint64(size)
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &full); err != nil {
		t.Fatal(err)
	}
	defer syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit)
	fn()
}

const fullDisk = "WALLET_TEST_FULL" // set for the process whose disk is full

// TestDiskFull: what does not fit is an error that tells why, and leaves the
// wallet and its file as they were. With room again, all goes on.
//
// The limit holds for all files of a process, also for the one in which the go
// command has tests log what they open: so it is a process of its own.
// Rule 24.
func TestDiskFull(t *testing.T) {
	if os.Getenv(fullDisk) == "" {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestDiskFull$")
		cmd.Env = append(os.Environ(), fullDisk+"=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	c, w := newWorld(t), open(t)
	watchN(t, w, 0, 1)
	c.mine(c.pay(out(scriptN(1), 5)))
	c.sync(w)
	var many, few Watch
	for n := range uint64(20_000) {
		many.Scripts = append(many.Scripts, scriptN(100+n))
	}
	few.Scripts = many.Scripts[:100]
	for _, test := range []struct {
		what Watch
		room int64 // -1 is as much as there is
	}{{few, 0}, {few, 20_000}, {many, -1}} {
		state := everything(t, w, c.height())
		info, err := os.Stat(w.path)
		if err != nil {
			t.Fatal(err)
		}
		if test.room < 0 {
			test.room = info.Size()
		}
		whileFull(t, test.room, func() { err = w.Watch(context.Background(), test.what) })
		if err == nil || errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), syscall.EFBIG.Error()) {
			t.Fatalf("room for %d: %v", test.room, err)
		}
		verify(t, w)
		if got := everything(t, w, c.height()); got != state {
			t.Fatalf("room for %d:\n%s\nnot\n%s", test.room, got, state)
		}
		path := w.path
		w.Close()
		w = openAt(t, path)
		if got := everything(t, w, c.height()); got != state {
			t.Fatalf("room for %d, reopened:\n%s\nnot\n%s", test.room, got, state)
		}
	}
	watch(t, w, many)
	c.sync(w)
	wantBalance(t, w, 5, 0, 0, 0)
}
