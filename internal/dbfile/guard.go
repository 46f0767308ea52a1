package dbfile

import (
	"fmt"
	"path"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
)

// Guard runs fn, which reads from the mapping or has bbolt do so, and turns its panics
// into errors: a fault of the mapping, wherever it was read, and what bbolt stumbles
// over, is damage; the rest is our own fault, and says so. After one nothing is asked
// of bbolt any more, which may have stopped with its mutexes held and would write into
// a file that may be precious: all there is to do is Close.
//
// View and Update are guarded; others are for goroutines that a View has started.
func (f *File) Guard(fn func() error) (err error) {
	if over := f.over.Load(); over != nil {
		return *over
	}
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		r := recover()
		if r == nil {
			return
		}
		text := strings.TrimPrefix(fmt.Sprint(r), "runtime error: ")
		if _, fault := r.(interface{ Addr() uintptr }); fault {
			err = f.fail(damaged("a page cannot be read"))
		} else if where, bolt := began(); bolt {
			err = f.fail(damaged("%s", text))
		} else {
			err = f.fail(fmt.Errorf("%w: %s in %s: please report it", ErrBug, text, where))
		}
	}()
	return fn()
}

// fail ends the use of the file. It returns why it has ended, which may be an earlier
// reason.
func (f *File) fail(err error) error {
	f.over.CompareAndSwap(nil, &err)
	return *f.over.Load()
}

// damaged makes an ErrDamaged.
func damaged(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrDamaged, fmt.Sprintf(format, args...))
}

// helpers are packages that bbolt and we call: a panic in one is that of its caller.
var helpers = []string{"runtime", "sort", "slices", "bytes", "encoding/binary"}

// began tells where a panic began, and whether that is in bbolt. It is called in the
// deferred function that has recovered the panic, while the frames below still show.
func began() (where string, bolt bool) {
	pcs := make([]uintptr, 64)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(1, pcs)])
	for panicked := false; ; {
		frame, more := frames.Next()
		if pkg := packageOf(frame.Function); panicked && !slices.Contains(helpers, pkg) {
			where = fmt.Sprintf("%s (%s:%d)", frame.Function, path.Base(frame.File), frame.Line)
			return where, strings.HasPrefix(pkg, "go.etcd.io/bbolt")
		}
		panicked = panicked || frame.Function == "runtime.gopanic"
		if !more {
			return "an unknown place", false
		}
	}
}

// packageOf is the package of a function as runtime.Frame names it.
func packageOf(function string) string {
	slash := strings.LastIndexByte(function, '/') + 1
	if dot := strings.IndexByte(function[slash:], '.'); dot >= 0 {
		return function[:slash+dot]
	}
	return function
}
