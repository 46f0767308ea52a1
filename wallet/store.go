package wallet

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"syscall"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// store is an open bbolt file that may be damaged. bbolt trusts what it reads:
// where that makes no sense it panics, and where the file can't be read at all
// its mapping is a memory fault. Both become ErrCorrupt here. After that nothing
// is asked of bbolt any more, which may have stopped with its mutexes held and
// would write into a file that is precious; all there is to do is Close.
//
// That is the second line of defence, for pages that turn bad later: those of a
// file that is being opened are checked before (see checkPages).
type store struct {
	*bbolt.DB
	file   *os.File
	damage atomic.Pointer[error] // why nothing works any more
}

// openStore opens an existing file, alone or to read it together with others.
func openStore(path string, readOnly bool) (*store, error) {
	s := new(store)
	err := s.guard(func() (err error) {
		s.DB, err = bbolt.Open(path, 0o600, &bbolt.Options{
			Timeout:  lockTimeout,
			ReadOnly: readOnly,
			OpenFile: func(name string, flag int, mode os.FileMode) (file *os.File, err error) {
				s.file, err = os.OpenFile(name, flag&^os.O_CREATE, mode)
				return s.file, err
			},
		})
		return err
	})
	var pathErr *fs.PathError
	var errno syscall.Errno
	switch {
	case err == nil:
		return s, nil
	case errors.Is(err, ErrCorrupt):
		s.Close()
		return nil, err
	case errors.Is(err, bolterrors.ErrTimeout):
		return nil, fmt.Errorf("%w: close the other program that has it open", ErrInUse)
	case errors.As(err, &pathErr), errors.As(err, &errno):
		return nil, err
	}
	return nil, corrupt("%v", err)
}

// View runs one reading transaction.
func (s *store) View(fn func(*bbolt.Tx) error) error {
	return s.guard(func() error { return s.DB.View(fn) })
}

// Update runs one writing transaction.
func (s *store) Update(fn func(*bbolt.Tx) error) error {
	return s.guard(func() error { return s.DB.Update(fn) })
}

// Close gives the file back. Calling it again does nothing.
func (s *store) Close() error {
	if s.damage.Load() == nil {
		return s.DB.Close()
	}
	if s.file == nil {
		return nil
	}
	if err := unlock(s.file); !errors.Is(err, os.ErrClosed) {
		return err
	}
	return nil
}

// guard runs fn, which uses bbolt, and turns its panics into errors.
func (s *store) guard(fn func() error) (err error) {
	if damage := s.damage.Load(); damage != nil {
		return *damage
	}
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		r := recover()
		if r == nil {
			return
		}
		if !fromFile(r) {
			panic(r) // a fault of the program must not look like one of the file
		}
		err = s.fail(corrupt("%v", r))
	}()
	return fn()
}

// fail ends the use of the file.
func (s *store) fail(err error) error {
	s.damage.CompareAndSwap(nil, &err)
	return *s.damage.Load()
}

// fromFile tells whether a panic comes from what is in the file: a fault of the
// mapping, wherever that was read, or something that bbolt stumbled over. It is
// called in the deferred function that recovered the panic, while the frames
// below still show where it began.
func fromFile(r any) bool {
	if _, fault := r.(interface{ Addr() uintptr }); fault {
		return true
	}
	pcs := make([]uintptr, 32)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(1, pcs)])
	for began := false; ; {
		frame, more := frames.Next()
		inRuntime := strings.HasPrefix(frame.Function, "runtime.")
		if began && !inRuntime {
			return strings.HasPrefix(frame.Function, "go.etcd.io/bbolt")
		}
		began = began || frame.Function == "runtime.gopanic"
		if !more {
			return false
		}
	}
}
