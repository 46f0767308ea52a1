package dcrspv_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// goFiles returns the Go files of this module whose names are wanted, with slashes.
func goFiles(t *testing.T, want func(name string) bool) (paths []string) {
	t.Helper()
	return files(t, func(name string) bool { return strings.HasSuffix(name, ".go") && want(name) })
}

// files returns the files of this module whose names are wanted, with slashes. Modules
// inside it, test data and what is hidden are left out.
func files(t *testing.T, want func(name string) bool) (paths []string) {
	t.Helper()
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			_, modErr := os.Stat(filepath.Join(path, "go.mod"))
			if path != "." && (d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") || modErr == nil) {
				return filepath.SkipDir
			}
			return nil
		}
		if want(path) {
			paths = append(paths, filepath.ToSlash(path))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return paths
}
