//go:build linux || darwin

package chaindb

import (
	"math/rand/v2"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"
)

// TestDiskFull limits the size of files of this process, so that a write fails as
// it does on a full disk. It says so, nothing is lost, and it works once there is
// space.
// Rule 24.
func TestDiskFull(t *testing.T) {
	rules := simnetRules()
	path := testPath(t)
	db := openTest(t, path, rules)
	m := newModel(rules)
	m.chain.extend(rules, rand.New(rand.NewPCG(1, 1)), 1000, 20000, false)
	if err := db.ReplaceHeaders(0, m.chain.headers[1:], m.chain.work[1000]); err != nil {
		t.Fatal(err)
	}
	put := func() error { return db.PutFilters(1, m.chain.filters[1:]) } // 10 MB: more than growBytes

	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	limit := old
	limit.Cur = uint64(info.Size())
	signal.Ignore(syscall.SIGXFSZ)
	defer signal.Reset(syscall.SIGXFSZ)
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
	err = put()
	if restoreErr := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &old); restoreErr != nil {
		t.Fatal(restoreErr)
	}

	if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "too large") {
		t.Fatalf("with a full disk: %v", err)
	}
	if err := m.differs(db); err != nil {
		t.Fatalf("after the failed write: %v", err)
	}
	if err := put(); err != nil {
		t.Fatalf("with space again: %v", err)
	}
	for h := range m.chain.tip() + 1 {
		m.held[h] = true
	}
	if err := m.differs(db); err != nil {
		t.Fatal(err)
	}
}
