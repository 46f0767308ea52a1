//go:build unix

package chaindb

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// TestSealThatIsNoFile: what stands in the place of the seal, in a directory from
// elsewhere, is neither waited for, nor read into memory, nor written over.
// Rule 25.
func TestSealThatIsNoFile(t *testing.T) {
	precious := filepath.Join(t.TempDir(), "wallet.db")
	if err := os.WriteFile(precious, make([]byte, 9000), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, place := range map[string]func(seal string) error{
		"a pipe":                    func(seal string) error { return syscall.Mkfifo(seal, 0o600) },
		"a link to a precious file": func(seal string) error { return os.Symlink(precious, seal) },
		"a hole of 256 MB": func(seal string) error {
			return errors.Join(os.WriteFile(seal, nil, 0o600), os.Truncate(seal, 256<<20))
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := testPath(t)
			if err := openTest(t, path, simnetRules()).Close(); err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(os.Remove(sealPath(path)), place(sealPath(path))); err != nil {
				t.Fatal(err)
			}
			opened := make(chan error, 1)
			go func() {
				db, err := Open(path, simnetRules())
				if err == nil {
					err = errors.Join(db.Adopt(t.Context(), nil, nil), db.PutBlob("a", nil), db.Close())
				}
				opened <- err
			}()
			select {
			case err := <-opened:
				if err != nil {
					t.Error(err)
				}
			case <-time.After(time.Minute):
				t.Error("Open waits for the seal for ever")
			}
			if info, err := os.Stat(precious); err != nil || info.Size() != 9000 {
				t.Errorf("wallet.db has %d bytes, %v", info.Size(), err)
			}
		})
	}
}
