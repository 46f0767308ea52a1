package chaindb

import (
	"os"
	"syscall"
	"unsafe"

	"go.etcd.io/bbolt"
)

// readAhead tells the system that mapped memory is about to be read, so that it
// fetches it from the disk in one go. bbolt has told it that reads are random,
// which makes it fetch single pages. Advice only: errors do not matter.
func readAhead(mem []byte) {
	page := uintptr(os.Getpagesize())
	// The advice takes whole pages. The one mem begins in has been read already,
	// for what bbolt keeps there about mem.
	skip := -uintptr(unsafe.Pointer(unsafe.SliceData(mem))) % page
	if skip < uintptr(len(mem)) {
		_ = syscall.Madvise(mem[skip:], syscall.MADV_WILLNEED)
	}
}

// readDone tells the system that the mapped file will not be read again soon.
// Otherwise a scan of the whole chain would leave all of it in what the process
// is said to use. The data stays in the system's cache, if that has room, and
// whoever reads it after all finds it there.
//
// It is all of the mapping, because the system maps the neighbours of each page
// that is read: giving back what was read alone would leave those.
func readDone(tx *bbolt.Tx) {
	mapping := tx.DB().Info().Data
	_, _, _ = syscall.Syscall(syscall.SYS_MADVISE, mapping, uintptr(tx.Size()), syscall.MADV_DONTNEED)
}
