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
	if len(mem) == 0 {
		return
	}
	// The advice takes whole pages: from the start of the one mem begins in.
	lead := int(uintptr(unsafe.Pointer(&mem[0])) & uintptr(os.Getpagesize()-1))
	start := (*byte)(unsafe.Add(unsafe.Pointer(&mem[0]), -lead))
	_ = syscall.Madvise(unsafe.Slice(start, lead+len(mem)), syscall.MADV_WILLNEED)
}
