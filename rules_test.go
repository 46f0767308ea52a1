package dcrspv_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var (
	ruleHeading = regexp.MustCompile(`^### ([0-9]+)\. `)
	fileName    = regexp.MustCompile("`([a-z0-9]+/[a-z0-9_]+\\.go)`")

	// provesRules is the one form in which a test names what it proves: a line
	// "Rule 3." or "Rules 3, 4 and 5." in its comment.
	provesRules = regexp.MustCompile(`(?m)^Rules? ([0-9]+(?:(?:, | and )[0-9]+)*)\.$`)
	namesRules  = regexp.MustCompile(`(?m)\b[Rr]ules? [0-9]`)
	number      = regexp.MustCompile(`[0-9]+`)
)

// TestRules checks docs/RULES.md: its rules are numbered from 1 on, each has a test
// that proves it and is kept in files that exist, and no test names another one. With
// -v it lists the tests of each rule.
func TestRules(t *testing.T) {
	keptIn := rulesPage(t)
	provedBy := rulesInTests(t)
	sources := goFiles(t, func(name string) bool { return !strings.HasSuffix(name, "_test.go") })
	for rule := 1; rule <= len(keptIn); rule++ {
		t.Run(strconv.Itoa(rule), func(t *testing.T) {
			if len(provedBy[rule]) == 0 {
				t.Error("no test proves it")
			}
			if len(keptIn[rule]) == 0 {
				t.Error("it is kept in no file")
			}
			for _, name := range keptIn[rule] {
				inFolder := func(path string) bool { return strings.HasSuffix("/"+path, "/"+name) }
				if i := slices.IndexFunc(sources, inFolder); i < 0 {
					t.Errorf("there is no file %s", name)
				} else if slices.IndexFunc(sources[i+1:], inFolder) >= 0 {
					t.Errorf("there are several files %s", name)
				}
			}
			for _, test := range provedBy[rule] {
				t.Log(test)
			}
		})
	}
	for rule, tests := range provedBy {
		if rule < 1 || rule > len(keptIn) {
			t.Errorf("there is no rule %d, which these name: %v", rule, tests)
		}
	}
}

// rulesPage returns the files that each rule of docs/RULES.md is kept in.
func rulesPage(t *testing.T) map[int][]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("docs", "RULES.md"))
	if err != nil {
		t.Fatal(err)
	}
	keptIn := make(map[int][]string)
	rule := 0
	for line := range strings.Lines(string(text)) {
		if m := ruleHeading.FindStringSubmatch(line); m != nil {
			rule++
			if m[1] != strconv.Itoa(rule) {
				t.Errorf("rule %s stands where %d should", m[1], rule)
			}
			keptIn[rule] = nil
		}
		for _, m := range fileName.FindAllStringSubmatch(line, -1) {
			if rule > 0 {
				keptIn[rule] = append(keptIn[rule], m[1])
			}
		}
	}
	return keptIn
}

// rulesInTests returns the tests that name each rule, with their places.
func rulesInTests(t *testing.T) map[int][]string {
	t.Helper()
	provedBy := make(map[int][]string)
	fset := token.NewFileSet()
	for _, path := range goFiles(t, func(name string) bool { return strings.HasSuffix(name, "_test.go") }) {
		file, err := parser.ParseFile(fset, path, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range file.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok || fn.Doc == nil || !strings.HasPrefix(fn.Name.Name, "Test") && !strings.HasPrefix(fn.Name.Name, "Fuzz") {
				continue
			}
			place := fset.Position(fn.Pos())
			test := filepath.ToSlash(path) + ":" + strconv.Itoa(place.Line) + " " + fn.Name.Name
			text := fn.Doc.Text()
			proved := provesRules.FindAllStringSubmatch(text, -1)
			if named := namesRules.FindAllString(text, -1); len(named) != len(proved) {
				t.Errorf("%s: write the rules that it proves as a line by itself: Rule 3. or Rules 3 and 4.", test)
			}
			for _, m := range proved {
				for _, n := range number.FindAllString(m[1], -1) {
					rule, err := strconv.Atoi(n)
					if err != nil {
						t.Fatal(err)
					}
					provedBy[rule] = append(provedBy[rule], test)
				}
			}
		}
	}
	return provedBy
}
