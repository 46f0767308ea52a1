package wallet

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
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
	open   atomic.Bool
}

// openStore opens an existing file, alone or to read it together with others.
func openStore(path string, readOnly bool) (*store, error) {
	s := new(store)
	err := s.guard(func() (err error) {
		options := &bbolt.Options{
			Timeout:  lockTimeout,
			ReadOnly: readOnly,
			OpenFile: func(name string, flag int, mode os.FileMode) (file *os.File, err error) {
				s.file, err = os.OpenFile(name, flag&^os.O_CREATE, mode)
				return s.file, err
			},
		}
		// On Windows the file itself would be made as large as the mapping.
		if strconv.IntSize == 64 && runtime.GOOS != "windows" {
			options.InitialMmapSize = mapBytes
		}
		if s.DB, err = bbolt.Open(path, 0o600, options); err == nil {
			s.DB.AllocSize = growBytes
		}
		return err
	})
	var pathErr *fs.PathError
	var errno syscall.Errno
	switch {
	case err == nil:
		s.open.Store(true)
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
	return s.guard(func() error {
		return s.DB.Update(func(tx *bbolt.Tx) error {
			if err := fn(tx); err != nil {
				return err
			}
			return s.checkFreeList()
		})
	})
}

// checkFreeList looks at the page with the list of free pages, as bbolt does in
// each commit, but without care: it would count through as many pages as noise
// there says.
func (s *store) checkFreeList() error {
	pageSize := s.Info().PageSize
	h, err := readHead(s.file, pageSize)
	if err != nil || h.free == noFreeList {
		return err
	}
	p := page{h.free, make([]byte, pageHeader)}
	if _, err := s.file.ReadAt(p.b, int64(h.free)*int64(pageSize)); err != nil {
		return s.fail(corrupt("page %d: %v", h.free, err))
	}
	overflow := uint64(native.Uint32(p.b[12:]))
	if native.Uint64(p.b) != h.free || p.kind() != kindFree || h.free+overflow >= h.pages {
		return s.fail(p.bad("no list of free pages"))
	}
	return nil
}

// Close gives the file back. Calling it again does nothing.
func (s *store) Close() error {
	if s.damage.Load() == nil {
		if s.file != nil && !s.DB.IsReadOnly() && s.open.CompareAndSwap(true, false) {
			markClosed(s.file, s.Info().PageSize)
		}
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
