package dcrspv_test

import (
	"fmt"
	"go/ast"
	"go/build"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// owned are the packages in which each piece of state has one writer: the file that
// declares its type. No two files of one call each other, so a reader who follows a call
// comes back by returning only.
var owned = []string{
	"spv", "spv/chain", "spv/internal/addrbook", "spv/internal/chaindb", "spv/internal/peer",
	"spv/internal/registry", "spv/internal/requests", "spv/internal/scan", "internal/dbfile",
	"wallet", "wallet/internal/coverage", "wallet/internal/keys",
}

// TestOneWriter: no field of a struct is assigned in another file than the one that
// declares it.
func TestOneWriter(t *testing.T) {
	for _, p := range typed(t) {
		for _, field := range p.foreignWrites() {
			t.Errorf("%s: %s", p.dir, field)
		}
	}
}

// TestCallsRunOneWay: no two files of a package call each other.
func TestCallsRunOneWay(t *testing.T) {
	for _, p := range typed(t) {
		for _, pair := range p.callsBothWays() {
			t.Errorf("%s: %s", p.dir, pair)
		}
	}
}

// typedPackage is a package with the types of its expressions.
type typedPackage struct {
	dir   string
	fset  *token.FileSet
	files []*ast.File
	info  types.Info
}

// typed returns the packages that are looked at. It is worked out once.
var typed = func() func(t *testing.T) []*typedPackage {
	var done []*typedPackage
	return func(t *testing.T) []*typedPackage {
		t.Helper()
		if done != nil {
			return done
		}
		fset := token.NewFileSet()
		conf := types.Config{Importer: importer.ForCompiler(fset, "source", nil)}
		for _, dir := range owned {
			p := &typedPackage{dir: dir, fset: fset, info: types.Info{
				Uses: make(map[*ast.Ident]types.Object), Selections: make(map[*ast.SelectorExpr]*types.Selection),
			}}
			pkg, err := build.ImportDir(dir, 0)
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range pkg.GoFiles {
				file, err := parser.ParseFile(fset, filepath.Join(dir, name), nil, 0)
				if err != nil {
					t.Fatal(err)
				}
				p.files = append(p.files, file)
			}
			if _, err := conf.Check(module+"/"+dir, fset, p.files, &p.info); err != nil {
				t.Fatal(err)
			}
			done = append(done, p)
		}
		return done
	}
}()

// at is the name of the file that something stands in.
func (p *typedPackage) at(pos token.Pos) string {
	return filepath.Base(p.fset.Position(pos).Filename)
}

// foreignWrites lists assignments to fields that are declared in another file.
func (p *typedPackage) foreignWrites() []string {
	found := make(map[string]bool)
	write := func(e ast.Expr) {
		for {
			switch x := e.(type) {
			case *ast.IndexExpr:
				e = x.X
				continue
			case *ast.ParenExpr:
				e = x.X
				continue
			case *ast.SelectorExpr:
				if s, ok := p.info.Selections[x]; ok && s.Kind() == types.FieldVal && p.declares(s.Obj()) {
					if here, home := p.at(x.Pos()), p.at(s.Obj().Pos()); here != home {
						found[fmt.Sprintf("%s of %s is assigned in %s", s.Obj().Name(), home, here)] = true
					}
				}
			}
			return
		}
	}
	for _, f := range p.files {
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.AssignStmt:
				for _, left := range n.Lhs {
					write(left)
				}
			case *ast.IncDecStmt:
				write(n.X)
			}
			return true
		})
	}
	return slices.Sorted(maps.Keys(found))
}

// declares reports whether an object is one of the package's own.
func (p *typedPackage) declares(obj types.Object) bool {
	return obj.Pkg() != nil && obj.Pkg().Path() == module+"/"+p.dir
}

// callsBothWays lists the pairs of files that use functions of each other.
func (p *typedPackage) callsBothWays() (pairs []string) {
	calls := make(map[[2]string]bool)
	for id, obj := range p.info.Uses {
		if _, ok := obj.(*types.Func); !ok || !p.declares(obj) {
			continue
		}
		if from, to := p.at(id.Pos()), p.at(obj.Pos()); from != to {
			calls[[2]string{from, to}] = true
		}
	}
	for c := range calls {
		if calls[[2]string{c[1], c[0]}] && c[0] < c[1] {
			pairs = append(pairs, strings.Join(c[:], " and ")+" call each other")
		}
	}
	slices.Sort(pairs)
	return pairs
}
