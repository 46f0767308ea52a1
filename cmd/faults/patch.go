package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// A fault is one that was put into the code, and has to be found.
type fault struct {
	name  string // of its file
	what  string // it is, in a sentence
	pkg   string // what finds it: a package,
	tests string // and a pattern of its tests
	edits []edit
}

// An edit is a hunk of a patch: what stands once in a file, and what is put there.
// Line numbers do not count, so that a patch holds as long as the lines around it.
type edit struct{ file, old, new string }

const foundBy = "Found by: "

// readFault reads a patch. Above it there are a paragraph that says what the fault
// is, and a line that says what finds it.
func readFault(path string) (*fault, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	f := &fault{name: strings.TrimSuffix(filepath.Base(path), ".patch")}
	head, diff, _ := strings.Cut(string(text), "\n--- ")
	what, by, _ := strings.Cut(head, foundBy)
	f.what = strings.Join(strings.Fields(what), " ")
	if _, err := fmt.Sscan(by, &f.pkg, &f.tests); err != nil {
		return nil, fmt.Errorf("%s: no %q and a package and a pattern of tests", path, foundBy)
	}
	if f.edits = edits("--- " + diff); len(f.edits) == 0 || f.what == "" {
		return nil, fmt.Errorf("%s: no edit, or not a word about it", path)
	}
	return f, nil
}

// edits reads the hunks of a unified diff.
func edits(diff string) (all []edit) {
	var file string
	for line := range strings.Lines(diff) {
		if name, ok := strings.CutPrefix(line, "+++ b/"); ok {
			file = strings.TrimSpace(name)
			continue
		}
		if strings.HasPrefix(line, "@@") {
			all = append(all, edit{file: file})
			continue
		}
		if len(all) == 0 || strings.HasPrefix(line, "--- ") {
			continue
		}
		e := &all[len(all)-1]
		if line[0] != '+' {
			e.old += line[1:]
		}
		if line[0] != '-' {
			e.new += line[1:]
		}
	}
	return all
}

var errStale = errors.New("the lines around the fault have changed: mend the patch")

// patched returns the text of the files of a fault, by their names below root.
func (f *fault) patched(root string) (map[string]string, error) {
	files := make(map[string]string)
	for _, e := range f.edits {
		if _, ok := files[e.file]; !ok {
			text, err := os.ReadFile(filepath.Join(root, e.file))
			if err != nil {
				return nil, err
			}
			files[e.file] = string(text)
		}
		if strings.Count(files[e.file], e.old) != 1 {
			return nil, fmt.Errorf("%s: %s: %w", f.name, e.file, errStale)
		}
		files[e.file] = strings.Replace(files[e.file], e.old, e.new, 1)
	}
	return files, nil
}
