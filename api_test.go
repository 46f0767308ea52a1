package dcrspv_test

import (
	"go/importer"
	"go/token"
	"go/types"
	"strings"
	"testing"
)

// What other programs import, and no more.
var public = []string{"spv", "spv/chain", "spv/spvtest", "wallet", "filters"}

// TestPublicTypes: whatever a public package names in a signature, another program can
// name too.
func TestPublicTypes(t *testing.T) {
	source := importer.ForCompiler(token.NewFileSet(), "source", nil)
	for _, dir := range public {
		pkg, err := source.Import(module + "/" + dir)
		if err != nil {
			t.Fatal(err)
		}
		a := apiWalk{seen: make(map[types.Type]bool)}
		for _, name := range pkg.Scope().Names() {
			if obj := pkg.Scope().Lookup(name); obj.Exported() {
				a.walk(dir+"."+name, obj.Type())
			}
		}
		for _, hidden := range a.hidden {
			t.Errorf("%s is in an internal package", hidden)
		}
	}
}

// apiWalk finds the types that are reached through what is exported.
type apiWalk struct {
	seen   map[types.Type]bool
	hidden []string
}

func (a *apiWalk) walk(path string, t types.Type) {
	if a.seen[t] {
		return
	}
	a.seen[t] = true
	switch t := t.(type) {
	case *types.Alias:
		a.walk(path, t.Rhs())
	case *types.Named:
		pkg := t.Obj().Pkg()
		if pkg == nil || !strings.HasPrefix(pkg.Path(), module+"/") {
			return
		}
		if strings.Contains(pkg.Path(), "internal/") {
			a.hidden = append(a.hidden, path+": "+t.Obj().Name()+" of "+pkg.Path())
			return
		}
		for m := range t.Methods() {
			if m.Exported() {
				a.walk(path+"."+m.Name(), m.Type())
			}
		}
		a.walk(path, t.Underlying())
	case *types.Struct:
		for f := range t.Fields() {
			if f.Exported() {
				a.walk(path+"."+f.Name(), f.Type())
			}
		}
	case *types.Interface:
		for m := range t.Methods() {
			a.walk(path+"."+m.Name(), m.Type())
		}
	case *types.Signature:
		a.walk(path, t.Params())
		a.walk(path, t.Results())
	case *types.Tuple:
		for v := range t.Variables() {
			a.walk(path, v.Type())
		}
	case *types.Map:
		a.walk(path, t.Key())
		a.walk(path, t.Elem())
	case interface{ Elem() types.Type }: // pointers, slices, arrays, channels
		a.walk(path, t.Elem())
	}
}
