package main

import (
	"bytes"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Every patch still applies, and what it makes still compiles.
func TestPatchesCompile(t *testing.T) {
	root, err := moduleRoot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	faults, err := readFaults("testdata", nil)
	if err != nil {
		t.Fatal(err)
	}
	fset := token.NewFileSet()
	imports := importer.ForCompiler(fset, "gc", exports(t, root))
	for _, f := range faults {
		files, err := f.patched(root)
		if err != nil {
			t.Error(err)
			continue
		}
		for dir := range packagesOf(files) {
			config := types.Config{Importer: imports}
			if _, err := config.Check(dir, fset, parsePackage(t, fset, root, dir, files), nil); err != nil {
				t.Errorf("%s: %v", f.name, err)
			}
		}
	}
}

// packagesOf are the directories of some files.
func packagesOf(files map[string]string) map[string]bool {
	dirs := make(map[string]bool)
	for name := range files {
		dirs[filepath.Dir(name)] = true
	}
	return dirs
}

// parsePackage parses the files of a package without its tests, some of them in
// another text.
func parsePackage(t *testing.T, fset *token.FileSet, root, dir string, patched map[string]string) (files []*ast.File) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(root, dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range names {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		var text any
		if s, ok := patched[filepath.ToSlash(filepath.Join(dir, filepath.Base(path)))]; ok {
			text = s
		}
		file, err := parser.ParseFile(fset, path, text, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	return files
}

// exports finds what the compiler has said of the packages that those patched
// import.
func exports(t *testing.T, root string) importer.Lookup {
	t.Helper()
	cmd := exec.Command("go", "list", "-export", "-deps", "-f", "{{.ImportPath}}={{.Export}}", "./spv/...")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	files := make(map[string]string)
	for line := range strings.Lines(string(out)) {
		path, file, _ := strings.Cut(strings.TrimSpace(line), "=")
		files[path] = file
	}
	return func(path string) (io.ReadCloser, error) { return os.Open(files[path]) }
}

// A hunk stands for the lines that it is about, wherever they are.
func TestEdits(t *testing.T) {
	got := edits("--- a/x.go\n+++ b/x.go\n@@ -1,3 +1,2 @@ func x() {\n a\n-b\n+c\n d\n@@ -9 +8 @@\n-e\n--- a/y.go\n+++ b/y.go\n@@ -1 +1 @@\n f\n+g\n")
	want := []edit{
		{file: "x.go", old: "a\nb\nd\n", new: "a\nc\nd\n"},
		{file: "x.go", old: "e\n", new: ""},
		{file: "y.go", old: "f\n", new: "f\ng\n"},
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

func TestUsage(t *testing.T) {
	var out bytes.Buffer
	if code := run(t.Context(), []string{"-h"}, &out); code != 0 || !strings.Contains(out.String(), "-seeds") {
		t.Errorf("exit status %d: %s", code, &out)
	}
	if code := run(t.Context(), []string{"-nonsense"}, io.Discard); code != 2 {
		t.Errorf("exit status %d for a flag that there is none of", code)
	}
	if code := run(t.Context(), []string{"nonsense"}, io.Discard); code != 1 {
		t.Errorf("exit status %d for a fault that there is none of", code)
	}
}
