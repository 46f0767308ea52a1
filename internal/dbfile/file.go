package dbfile

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// Options say how a file is opened.
type Options struct {
	// MapBytes is how much address space to set aside for the file, so that a write
	// does not wait for reads while the file grows. Where space is limited it is less.
	MapBytes int

	// GrowBytes is how much larger than needed a growing file is made, so that not
	// every write must extend it.
	GrowBytes int

	// Existing: a file that is not there is an error. Otherwise it is made.
	Existing bool

	// Nameless: the name is removed once the file is open, so that nothing is left of
	// it however the program ends. Where an open file can't be removed it stays.
	Nameless bool

	memory bool // by OpenMemory

	// Unchanged reports whether the file is as its user left it. Then only the pages
	// that lead to others are checked, not the pages with values. nil is no.
	Unchanged func(file *os.File, head Head) bool

	// Needed reports whether a bucket is needed to open an unchanged file. Other
	// buckets are not read before CheckRest. With nil all are needed.
	Needed func(bucket string) bool

	// Check, if not nil, checks the content of the file after its pages were checked,
	// and before it is opened for writing; whole is false if it was Unchanged. Its
	// error is the error of Open.
	Check func(tx *bbolt.Tx, whole bool) error

	// Leave is called by Close, if nothing has gone wrong, before anybody else can
	// write to the file. nil does nothing.
	Leave func(file *os.File, head Head)
}

// File is an open bbolt file. View may be called by any number of goroutines; writes
// are done one after the other.
type File struct {
	*bbolt.DB // for its settings; it must not be closed, read or written directly

	path  string
	file  *os.File    // of DB
	mine  os.FileInfo // of it when it was opened: which file it is
	leave func(*os.File, Head)

	nameless  bool
	temporary string // the name to be removed by Close, if there is one

	depth depth // to which Open has checked the pages
	rest  rest

	over      atomic.Pointer[error] // why nothing works any more
	closed    atomic.Bool
	writing   sync.Mutex
	committed atomic.Uint64 // the last transaction that is known to be in the file
}

// lockTimeout is how long Open waits for another user of the file to close it.
const lockTimeout = time.Second

// Open opens a file alone. Errors: ErrInUse (after a second), ErrDamaged, ErrNotFile,
// those of the operating system. The file is unchanged then.
func Open(path string, o Options) (*File, error) {
	depth := allPages
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !o.Existing:
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%w: there is a %s in its place", ErrNotFile, kindOf(info.Mode()))
	case info.Size() > 0:
		if depth, err = checkClosed(path, o); err != nil {
			return nil, err
		}
	}
	f, err := open(path, o, false)
	if err != nil {
		return nil, err
	}
	f.depth, f.leave = depth, o.Leave
	if f.nameless = o.Nameless; f.nameless {
		os.Remove(path)
	}
	return f, nil
}

// kindOf names a kind of file that is not regular.
func kindOf(mode fs.FileMode) string {
	switch {
	case mode.IsDir():
		return "directory"
	case mode&fs.ModeNamedPipe != 0:
		return "pipe"
	case mode&fs.ModeSocket != 0:
		return "socket"
	}
	return "device"
}

// checkClosed checks a file that nobody writes to, and tells to what depth. It is opened
// for reading, as bbolt reads hardly anything then.
func checkClosed(path string, o Options) (depth depth, err error) {
	o.MapBytes = 0
	f, err := open(path, o, true)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	if h, err := ReadHead(f.file, f.Info().PageSize); err == nil && o.Unchanged != nil && o.Unchanged(f.file, h) {
		if depth = branchPages; o.Needed != nil {
			depth = neededPages
		}
	}
	if err := f.checkPages(context.Background(), depth, o.Needed); err != nil || o.Check == nil {
		return depth, err
	}
	return depth, f.Guard(func() error {
		return f.DB.View(func(tx *bbolt.Tx) error { return o.Check(tx, depth == allPages) })
	})
}

// open opens the file as a bbolt file, in as much address space as there is.
func open(path string, o Options, readOnly bool) (*File, error) {
	// On Windows the file itself would be made as large as the mapping.
	if strconv.IntSize < 64 || runtime.GOOS == "windows" {
		o.MapBytes = 0
	}
	// Where space is limited, the program needs most of it for itself.
	if limit := addressSpace(); limit > 0 {
		o.MapBytes = int(min(uint64(o.MapBytes), limit/16))
	}
	for {
		f, err := openMapped(path, o, readOnly)
		if err == nil || o.MapBytes == 0 || !errors.Is(err, syscall.ENOMEM) {
			return f, err
		}
		if o.MapBytes /= 2; o.MapBytes < o.GrowBytes {
			o.MapBytes = 0
		}
	}
}

func openMapped(path string, o Options, readOnly bool) (*File, error) {
	f := &File{path: path, nameless: o.memory}
	if abs, err := filepath.Abs(path); err == nil { // the program may change its directory
		f.path = abs
	}
	err := f.Guard(func() (err error) {
		f.DB, err = bbolt.Open(path, 0o600, &bbolt.Options{
			Timeout:         lockTimeout,
			ReadOnly:        readOnly,
			InitialMmapSize: o.MapBytes,
			FreelistType:    bbolt.FreelistMapType,
			// The list of free pages is kept in the file, although it could be found
			// again: bbolt would search the whole file for it at every start, in a
			// goroutine whose panics over a damaged file nobody can catch.
			NoFreelistSync: false,
			OpenFile: func(name string, flag int, mode os.FileMode) (file *os.File, err error) {
				if o.Existing {
					flag &^= os.O_CREATE
				}
				if o.memory {
					f.file, f.temporary, err = memoryFile()
				} else {
					f.file, err = os.OpenFile(name, flag, mode)
				}
				if err == nil {
					f.mine, err = f.file.Stat()
				}
				return f.file, err
			},
		})
		if err != nil {
			return err
		}
		if f.DB.AllocSize = o.GrowBytes; readOnly {
			return nil
		}
		return f.DB.View(func(tx *bbolt.Tx) error {
			f.committed.Store(uint64(tx.ID()))
			return nil
		})
	})
	if err == nil {
		return f, nil
	}
	if f.temporary != "" {
		os.Remove(f.temporary)
	}
	var pathErr *fs.PathError
	var errno syscall.Errno
	switch {
	case f.over.Load() != nil:
		f.Close()
		return nil, err
	case errors.Is(err, bolterrors.ErrTimeout):
		return nil, ErrInUse
	case errors.As(err, &pathErr), errors.As(err, &errno):
		return nil, err
	}
	return nil, damaged("%v", err)
}

// View runs fn in a read transaction.
func (f *File) View(fn func(*bbolt.Tx) error) error {
	return f.Guard(func() error {
		before := f.committed.Load()
		return f.DB.View(func(tx *bbolt.Tx) error {
			// One more may have been written that is not noted yet.
			if id := uint64(tx.ID()); id < before || id > f.committed.Load()+1 {
				return f.otherState()
			}
			return fn(tx)
		})
	})
}

// Update runs fn in a write transaction and syncs the file. On an error nothing has
// changed, unless the very last step failed, the sync of the head: then the file may
// have all of it.
func (f *File) Update(fn func(*bbolt.Tx) error) error {
	f.writing.Lock()
	defer f.writing.Unlock()
	return f.Guard(func() error {
		err := f.DB.Update(func(tx *bbolt.Tx) error {
			if uint64(tx.ID()) != f.committed.Load()+1 {
				return f.otherState()
			}
			if err := f.inPlace(tx.Size()); err != nil {
				return err
			}
			if err := fn(tx); err != nil {
				return err
			}
			return f.checkFreeList()
		})
		switch {
		case err == nil:
			f.committed.Add(1)
		case strings.HasPrefix(err.Error(), mapFailed):
			return f.fail(fmt.Errorf("no room to map it any more: %w", syscall.ENOMEM))
		case f.over.Load() == nil:
			_ = f.DB.View(func(tx *bbolt.Tx) error { // fails if it is closed
				f.committed.Store(uint64(tx.ID()))
				return nil
			})
		}
		return err
	})
}

// mapFailed begins bbolt's error when it could not map a file that has grown. It has no
// mapping at all then (bbolt db.allocate).
const mapFailed = "mmap allocate error"

// otherState ends the use of a file that is not in the state that we left it in: its
// newest head is damaged, or it is another file.
func (f *File) otherState() error {
	if err := checkHeads(f.file, f.Info().PageSize); err != nil {
		return f.fail(err)
	}
	return f.fail(ErrReplaced)
}

// Check finds out what a write finds out before it begins: that the open file is the one
// that has the name, is not shortened, and is in the state that was last written here. It
// takes some microseconds.
func (f *File) Check() error {
	return f.View(func(tx *bbolt.Tx) error { return f.inPlace(tx.Size()) })
}

// inPlace checks that the open file is the one that has the name, and is not shortened.
func (f *File) inPlace(size int64) error {
	now, err := f.named()
	if err == nil && now.Size() < size {
		return f.fail(damaged("cut off, %d bytes of %d are left", now.Size(), size))
	}
	return err
}

// named is what the file is now, if the open one is the one that has the name.
func (f *File) named() (os.FileInfo, error) {
	if f.nameless {
		return f.file.Stat()
	}
	now, err := os.Stat(f.path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !os.SameFile(f.mine, now) {
		return nil, f.fail(ErrReplaced)
	}
	return now, err
}

// Close closes the file, after the reads and writes that are under way; if one of them
// has failed it does not wait. The error is ErrReplaced if the file is lost with all that
// was written. Calling it again does nothing.
func (f *File) Close() error {
	if !f.closed.CompareAndSwap(false, true) {
		return nil
	}
	if f.temporary != "" {
		defer os.Remove(f.temporary)
	}
	if f.over.Load() == nil {
		if h, err := ReadHead(f.file, f.Info().PageSize); f.leave != nil && err == nil {
			f.leave(f.file, h)
		}
		_, err := f.named()
		return cmp.Or(f.DB.Close(), err)
	}
	// A panic has left mutexes in bbolt that its Close would wait for.
	if f.file == nil {
		return nil
	}
	if err := unlock(f.file); !errors.Is(err, os.ErrClosed) {
		return err
	}
	return nil
}

// OS returns the open file, for reads beside bbolt.
func (f *File) OS() *os.File { return f.file }

// Over returns why the file cannot be used any more; nil if it can.
func (f *File) Over() error {
	if over := f.over.Load(); over != nil {
		return *over
	}
	return nil
}

// Usable is why the file cannot be used any more; bbolt's error if it was closed; nil if
// it can be used.
func (f *File) Usable() error {
	if f.closed.Load() {
		return bolterrors.ErrDatabaseNotOpen
	}
	return f.Over()
}

// Committed returns the number of the last transaction in the file.
func (f *File) Committed() uint64 { return f.committed.Load() }
