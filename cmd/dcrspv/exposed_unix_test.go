//go:build !windows

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestExposedWallet: a wallet file that others can read, or its directory, is told of
// in one line with what to do, and nowhere else; what the program makes itself is not.
func TestExposedWallet(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "simnet")
	file := filepath.Join(dir, "wallet.db")
	run := func(args ...string) result {
		t.Helper()
		r := dcrspv(t, append([]string{"--network", "simnet", "--datadir", filepath.Dir(dir)}, args...)...)
		if r.status != statusDone {
			t.Fatal(r.stderr)
		}
		return r
	}
	if r := run("watch", simnetAddress); r.stderr != "" {
		t.Errorf("of what the program has made: %q", r.stderr)
	}
	for _, c := range []struct {
		path       string
		mode, good os.FileMode
		remedy     string
	}{
		{file, 0o644, 0o600, "chmod 600 " + file},
		{file, 0o640, 0o600, "chmod 600 " + file},
		{dir, 0o755, 0o700, "chmod 700 " + dir},
	} {
		if err := os.Chmod(c.path, c.mode); err != nil {
			t.Fatal(err)
		}
		for _, args := range [][]string{{"balance"}, {"--json", "balance"}} {
			r := run(args...)
			if strings.Count(r.stderr, "\n") != 1 || !strings.Contains(r.stderr, c.remedy) || !strings.Contains(r.stderr, "warning") {
				t.Errorf("%v: %q", args, r.stderr)
			}
			if strings.Contains(r.stdout, "chmod") {
				t.Errorf("standard output: %q", r.stdout)
			}
		}
		if err := os.Chmod(c.path, c.good); err != nil {
			t.Fatal(err)
		}
		if r := run("balance"); r.stderr != "" {
			t.Errorf("mended, and still: %q", r.stderr)
		}
	}
}
