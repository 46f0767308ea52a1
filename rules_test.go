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
	testName    = regexp.MustCompile("`((?:Test|Fuzz)\\w*)`")

	// provesRules is the one form in which a test names what it proves: a line
	// "Rule 3." or "Rules 3, 4 and 5." in its comment.
	provesRules = regexp.MustCompile(`(?m)^Rules? ([0-9]+(?:(?:, | and )[0-9]+)*)\.$`)
	namesRules  = regexp.MustCompile(`(?m)\b[Rr]ules? [0-9]`)
	number      = regexp.MustCompile(`[0-9]+`)
)

// part is a row of the tables in docs/RULES.md.
type part struct {
	line         string
	files, tests []string
}

// provingTest is a test that names a rule in its comment.
type provingTest struct {
	name, place string
}

// TestRules checks docs/RULES.md: its rules are numbered from 1 on, each part of one is
// kept in files that exist and proved by tests that name the rule, and no test names
// another rule. With -v it lists the tests of each rule.
func TestRules(t *testing.T) {
	rules := rulesPage(t)
	provedBy := rulesInTests(t)
	sources := goFiles(t, func(name string) bool { return !strings.HasSuffix(name, "_test.go") })
	for rule := 1; rule <= len(rules); rule++ {
		t.Run(strconv.Itoa(rule), func(t *testing.T) {
			if len(rules[rule]) == 0 {
				t.Error("it has no parts")
			}
			for _, p := range rules[rule] {
				p.check(t, sources, provedBy[rule])
			}
			if testing.Verbose() {
				for _, test := range provedBy[rule] {
					t.Log(test.place, test.name)
				}
			}
		})
	}
	for rule, tests := range provedBy {
		if rule < 1 || rule > len(rules) {
			t.Errorf("there is no rule %d, which these name: %v", rule, tests)
		}
	}
}

// check looks whether the files and the tests of a part are there.
func (p *part) check(t *testing.T, sources []string, provedBy []provingTest) {
	t.Helper()
	if len(p.files) == 0 || len(p.tests) == 0 {
		t.Errorf("no file or no test in %s", p.line)
	}
	for _, name := range p.files {
		is := func(path string) bool { return strings.HasSuffix("/"+path, "/"+name) }
		if i := slices.IndexFunc(sources, is); i < 0 {
			t.Errorf("there is no file %s", name)
		} else if slices.IndexFunc(sources[i+1:], is) >= 0 {
			t.Errorf("there are several files %s", name)
		}
	}
	for _, name := range p.tests {
		if !slices.ContainsFunc(provedBy, func(test provingTest) bool { return test.name == name }) {
			t.Errorf("no test %s names the rule", name)
		}
	}
}

// rulesPage returns the parts of each rule in docs/RULES.md.
func rulesPage(t *testing.T) map[int][]part {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("docs", "RULES.md"))
	if err != nil {
		t.Fatal(err)
	}
	rules := make(map[int][]part)
	rule := 0
	for line := range strings.Lines(string(text)) {
		if m := ruleHeading.FindStringSubmatch(line); m != nil {
			rule++
			if m[1] != strconv.Itoa(rule) {
				t.Errorf("rule %s stands where %d should", m[1], rule)
			}
			rules[rule] = nil
		}
		if rule == 0 || !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| part |") || strings.HasPrefix(line, "| ---") {
			continue
		}
		p := part{line: line}
		for _, m := range fileName.FindAllStringSubmatch(line, -1) {
			p.files = append(p.files, m[1])
		}
		for _, m := range testName.FindAllStringSubmatch(line, -1) {
			p.tests = append(p.tests, m[1])
		}
		rules[rule] = append(rules[rule], p)
	}
	return rules
}

// rulesInTests returns the tests that name each rule, with their places.
func rulesInTests(t *testing.T) map[int][]provingTest {
	t.Helper()
	provedBy := make(map[int][]provingTest)
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
			test := provingTest{fn.Name.Name, path + ":" + strconv.Itoa(place.Line)}
			text := fn.Doc.Text()
			proved := provesRules.FindAllStringSubmatch(text, -1)
			if named := namesRules.FindAllString(text, -1); len(named) != len(proved) {
				t.Errorf("%s: write the rules that %s proves as a line by itself: Rule 3. or Rules 3 and 4.", test.place, test.name)
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
