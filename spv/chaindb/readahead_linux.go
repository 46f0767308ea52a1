package chaindb

import (
	"os"
	"syscall"
	"unsafe"
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
