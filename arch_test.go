package dcrspv_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// mayImport is the house: what each package may import of this module. Imports
// run downwards only. A package that is not here fails the test.
var mayImport = map[string][]string{
	"cmd/damage":                  {"spv/spvtest"},
	"cmd/dcrspv/realnodes/driver": {},
	"cmd/spvbench/usage":          {},
	"cmd/faults":                  {},
	"cmd/stress":                  {},
	"cmd/spvbench":                {"cmd/spvbench/usage", "wallet", "spv", "spv/chain", "spv/spvtest", "filters"},
	"cmd/dcrspv":                  {"wallet", "spv", "spv/chain", "spv/spvtest", "filters"}, // what any program could use
	"wallet": {"wallet/internal/coverage", "wallet/internal/keys", "spv", // of spv only the types of the interface that it fulfils
		"spv/chain", "internal/dbfile", "filters"},
	"spv": {"spv/internal/requests", "spv/internal/scan", "spv/internal/registry", "spv/internal/addrbook", "spv/internal/peer", "spv/internal/chaindb",
		"spv/chain", "internal/dbfile", "filters"},
	"spv/spvtest": {"spv/chain", "filters"},

	"spv/internal/requests": {"spv/internal/registry"},
	"spv/internal/scan":     {"spv/chain", "filters"},
	"spv/internal/registry": {"spv/chain", "filters"},
	"spv/internal/addrbook": {},
	"spv/internal/peer":     {"spv/chain", "filters"},
	"spv/internal/chaindb":  {"spv/chain", "internal/dbfile", "filters"},

	"wallet/internal/coverage": {"spv/chain"},
	"wallet/internal/keys":     {},

	"internal/dbfile": {},
	"spv/chain":       {},
	"filters":         {},
}

// pure packages have no goroutine, no input or output, and no clock.
var pure = []string{"spv/chain", "spv/internal/registry", "spv/internal/requests", "filters", "wallet/internal/coverage", "wallet/internal/keys"}

const module = "dcrspv"

// sources parses the files of the product: no tests, no other modules.
func sources(t *testing.T) map[string][]*ast.File {
	t.Helper()
	packages := make(map[string][]*ast.File)
	fset := token.NewFileSet()
	for _, file := range goFiles(t, func(name string) bool { return !strings.HasSuffix(name, "_test.go") }) {
		parsed, err := parser.ParseFile(fset, file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		packages[path.Dir(file)] = append(packages[path.Dir(file)], parsed)
	}
	return packages
}

func importsOf(files []*ast.File) []string {
	seen := make(map[string]bool)
	for _, f := range files {
		for _, spec := range f.Imports {
			if name, err := strconv.Unquote(spec.Path.Value); err == nil {
				seen[name] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(seen))
}

func TestImportsRunDownwards(t *testing.T) {
	packages := sources(t)
	for dir, files := range packages {
		allowed, ok := mayImport[dir]
		if !ok {
			t.Errorf("package %s has no place in the house", dir)
			continue
		}
		for _, name := range importsOf(files) {
			inner, own := strings.CutPrefix(name, module+"/")
			if own && !slices.Contains(allowed, inner) {
				t.Errorf("%s must not import %s", dir, inner)
			}
		}
	}
	for dir := range mayImport {
		if packages[dir] == nil {
			t.Errorf("package %s does not exist", dir)
		}
	}
}

func TestPurePackages(t *testing.T) {
	packages := sources(t)
	clocks := []string{"Now", "Since", "Until", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker", "Sleep"}
	for _, dir := range pure {
		for _, name := range importsOf(packages[dir]) {
			if slices.Contains([]string{"os", "io/fs", "context", "syscall", "log", "os/exec", "math/rand"}, name) {
				t.Errorf("%s is pure and must not import %s", dir, name)
			}
		}
		for _, file := range packages[dir] {
			ast.Inspect(file, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.GoStmt:
					t.Errorf("%s is pure and must not start a goroutine", dir)
				case *ast.SelectorExpr:
					x, ok := n.X.(*ast.Ident)
					if ok && x.Name == "time" && slices.Contains(clocks, n.Sel.Name) {
						t.Errorf("%s is pure and must not use time.%s", dir, n.Sel.Name)
					}
					if ok && x.Name == "net" && strings.HasPrefix(n.Sel.Name, "Dial") {
						t.Errorf("%s is pure and must not use net.%s", dir, n.Sel.Name)
					}
				}
				return true
			})
		}
	}
}

// TestNoWasteBaskets keeps packages named after what they are about.
func TestNoWasteBaskets(t *testing.T) {
	for dir, files := range sources(t) {
		for _, f := range files {
			if slices.Contains([]string{"utils", "util", "common", "helpers", "misc"}, f.Name.Name) {
				t.Errorf("%s: a package name has to say what it is about", dir)
			}
		}
	}
}
