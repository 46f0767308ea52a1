package dcrspv_test

import (
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

// widestLine is how many characters a line of a page may have. Tables and what is
// printed by a program can't be wrapped.
const widestLine = 120

var link = regexp.MustCompile(`\]\(([^)#]*)[^)]*\)`)

// TestPages: the pages that people write can be read on a terminal, and all links lead
// somewhere.
func TestPages(t *testing.T) {
	for _, name := range files(t, func(name string) bool { return strings.HasSuffix(name, ".md") }) {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		folder := path.Dir(name)
		written := folder == "." || folder == "docs"
		line := 0
		for text := range strings.Lines(string(text)) {
			line++
			if n := utf8.RuneCountInString(strings.TrimSuffix(text, "\n")); written && n > widestLine && !strings.HasPrefix(text, "|") {
				t.Errorf("%s:%d: %d characters", name, line, n)
			}
			for _, m := range link.FindAllStringSubmatch(text, -1) {
				if m[1] == "" || strings.Contains(m[1], "://") {
					continue
				}
				if _, err := os.Stat(filepath.FromSlash(path.Join(folder, m[1]))); err != nil {
					t.Errorf("%s:%d: a link to nothing: %s", name, line, m[1])
				}
			}
		}
	}
}

// TestEmbeddingProgram compiles the program that the README shows to those who
// embed the packages.
func TestEmbeddingProgram(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, program, _ := strings.Cut(string(text), "```go\n")
	program, rest, _ := strings.Cut(program, "```")
	if !strings.Contains(program, "func main()") || strings.Contains(rest, "```go\n") {
		t.Fatal("the README shows no program, or several")
	}
	file := filepath.Join(t.TempDir(), "follow.go")
	if err := os.WriteFile(file, []byte(program), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("go", "vet", file).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	if out, err := exec.Command("gofmt", "-l", file).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("not formatted: %v %s", err, out)
	}
}
