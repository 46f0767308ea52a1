package registry

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"
)

// handedOut lists all that the registry returns and that has references in it.
var handedOut = map[string]func(r *Registry) any{
	"List":         func(r *Registry) any { return r.List(t0) },
	"Ahead":        func(r *Registry) any { return r.Ahead(0, t0) },
	"Serving":      func(r *Registry) any { return r.Serving(Filters, 0, t0) },
	"Resting":      func(r *Registry) any { return r.Resting(Filters, 0, t0) },
	"RestingAhead": func(r *Registry) any { return r.RestingAhead(0, t0) },
	"Lagging":      func(r *Registry) any { return r.Lagging(1000) },
	"Marshal":      func(r *Registry) any { data, _ := r.Marshal(t0); return data },
	"Subscribe":    func(r *Registry) any { return r.Subscribe().Take() },
}

// crowded makes a registry with something in every field.
func crowded(t *testing.T) *Registry {
	t.Helper()
	r := fixture(t, Options{}, addrA, addrB, far(3), far(4))
	for _, addr := range []string{addrA, addrB, far(3)} {
		connectOne(t, r, addr, 100)
	}
	r.Validated(addrA, 90, t0)
	r.Success(addrA, Filters, time.Second, t0)
	r.Failure(addrA, Headers, 0, errFault, t0)
	r.Failure(addrB, Filters, 0, errFault, t0)
	r.Failure(far(3), Headers, 0, errFault, t0)
	r.Success(addrA, Headers, time.Second, t0)
	r.Delivered(addrB, Blocks, 5000, 10*time.Second, t0)
	r.Strike(addrA, Protocol, errFault, t0)
	r.Strike(addrA, OrphanHeader, errFault, t0)
	r.Strike(far(4), BadHeaders, errFault, t0)
	r.Ban("203.0.113.9", t0)
	return r
}

// A method that returns references and is not in the list above is not tested
// below.
func TestAllThatIsHandedOutIsKnown(t *testing.T) {
	typ := reflect.TypeFor[*Registry]()
	for i := range typ.NumMethod() {
		m := typ.Method(i)
		for k := range m.Type.NumOut() {
			if out := m.Type.Out(k); handedOut[m.Name] == nil && out != reflect.TypeFor[error]() && refers(out) {
				t.Errorf("%s returns %v", m.Name, out)
			}
		}
	}
}

// refers tells whether values of a type share memory with their copies.
func refers(typ reflect.Type) bool {
	switch typ.Kind() {
	case reflect.Slice, reflect.Map, reflect.Pointer, reflect.Chan, reflect.Interface, reflect.Func:
		return true
	case reflect.Array:
		return refers(typ.Elem())
	case reflect.Struct:
		for i := range typ.NumField() {
			if typ != reflect.TypeFor[time.Time]() && refers(typ.Field(i).Type) {
				return true
			}
		}
	}
	return false
}

// memory collects where the slices, maps and pointers are that a value reaches.
func memory(v reflect.Value, found map[uintptr]string, path string) {
	if v.Kind() == reflect.Slice || v.Kind() == reflect.Map || v.Kind() == reflect.Pointer {
		if v.IsNil() || v.Kind() == reflect.Slice && v.Cap() == 0 || found[v.Pointer()] != "" {
			return
		}
		found[v.Pointer()] = path
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			memory(v.Elem(), found, path)
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			memory(v.Index(i), found, fmt.Sprintf("%s[%d]", path, i))
		}
	case reflect.Map:
		for it := v.MapRange(); it.Next(); {
			memory(it.Value(), found, fmt.Sprintf("%s[%v]", path, it.Key()))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type() != reflect.TypeFor[time.Time]() { // immutable
				memory(v.Field(i), found, path+"."+v.Type().Field(i).Name)
			}
		}
	}
}

// scramble changes everything that can be reached through a value and set.
func scramble(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			scramble(v.Elem())
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			scramble(v.Index(i))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() && v.Type() != reflect.TypeFor[time.Time]() {
				scramble(v.Field(i))
			}
		}
	case reflect.String:
		v.SetString("scrambled")
	case reflect.Bool:
		v.SetBool(!v.Bool())
	case reflect.Int, reflect.Int64:
		v.SetInt(-v.Int() - 1)
	case reflect.Uint8, reflect.Uint32, reflect.Uint64:
		v.SetUint(v.Uint() ^ 0x5a)
	case reflect.Float64:
		v.SetFloat(-1)
	}
}

// picture is all that can be seen of a registry from outside.
func picture(r *Registry) string {
	data, err := r.Marshal(t0)
	return fmt.Sprintf("%s %v %+v", data, err, r.List(t0))
}

// Nothing that is handed out shares memory with the registry, or with what is
// handed out next; nothing that is done to it changes the registry.
func TestCopiesAreHandedOut(t *testing.T) {
	for name, call := range handedOut {
		r := crowded(t)
		before := picture(r)
		first, second := reflect.ValueOf(call(r)), reflect.ValueOf(call(r))
		if first.Len() == 0 {
			t.Errorf("%s returns nothing", name)
		}
		inside, outside := make(map[uintptr]string), make(map[uintptr]string)
		memory(reflect.ValueOf(r), inside, "registry")
		memory(second, inside, "another answer")
		memory(first, outside, name)
		for at, path := range outside {
			if where, shared := inside[at]; shared {
				t.Errorf("%s is %s", path, where)
			}
		}
		scramble(first)
		if after := picture(r); after != before {
			t.Errorf("%s leads inside: was\n%s\nis\n%s", name, before, after)
		}
	}
}

// Nor is anything changed later that was handed out before.
func TestWhatIsHandedOutStaysAsItWas(t *testing.T) {
	for name, call := range handedOut {
		r := crowded(t)
		got := call(r)
		was := fmt.Sprintf("%+v", got)
		for range maxHistory + 5 {
			r.Strike(addrA, OrphanHeader, errFault, t0)
			r.Disconnected(addrB, nil, t0)
			redial(r, addrB, 7, t0)
			r.Validated(addrB, 2000, t0)
		}
		if is := fmt.Sprintf("%+v", got); is != was {
			t.Errorf("%s: was\n%s\nis\n%s", name, was, is)
		}
	}
}

// Nor is anything kept that was handed in.
func TestWhatIsHandedInIsCopied(t *testing.T) {
	r := crowded(t)
	data, err := r.Marshal(t0)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Unmarshal(data, t0); err != nil {
		t.Fatal(err)
	}
	before := picture(r)
	clear(data)
	if after := picture(r); after != before {
		t.Error("the data that was loaded from is still used")
	}
	for typ := range slices.Values([]reflect.Type{reflect.TypeFor[Info](), reflect.TypeFor[Options](), reflect.TypeFor[Change]()}) {
		if refers(typ) {
			t.Errorf("%v has references in it", typ)
		}
	}
}
