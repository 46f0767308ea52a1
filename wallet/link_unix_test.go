//go:build !windows

package wallet

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
)

// TestLinkToNothing: a link to a file that is not there is an error that says so. No
// wallet is made in its place, and none where it points to.
// Rule 24.
func TestLinkToNothing(t *testing.T) {
	dir := t.TempDir()
	target, path := filepath.Join(dir, "elsewhere.db"), filepath.Join(dir, "wallet.db")
	if err := os.Symlink(target, path); err != nil {
		t.Fatal(err)
	}
	_, err := Open(path, params)
	if !errors.Is(err, ErrLink) || !strings.HasPrefix(err.Error(), path) || !strings.Contains(err.Error(), target) {
		t.Error(err)
	}
	if files, _ := os.ReadDir(dir); len(files) != 1 {
		t.Errorf("files left behind: %v", files)
	}
}

// TestLinkToAWallet: a link is as good as the file, the lock included, and stays one.
func TestLinkToAWallet(t *testing.T) {
	target, state := saved(t)
	path := filepath.Join(t.TempDir(), "wallet.db")
	if err := os.Symlink(target, path); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		w := openAt(t, path)
		if got := summaryOf(t, w); got != state {
			t.Errorf("%s\nnot\n%s", got, state)
		}
		watchN(t, w, 0, 9)
		verify(t, w)
		for _, name := range []string{path, target} {
			if _, err := Open(name, params); !errors.Is(err, ErrInUse) {
				t.Errorf("%s: %v", name, err)
			}
		}
		w.Close()
		if w = openAt(t, target); w.scripts[string(scriptN(9))] == nil {
			t.Error("what was watched through the link is not in the file")
		}
		w.Close()
	})
	if info, err := os.Lstat(path); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("%v, %v", info, err)
	}
}
