package dbfile

import (
	"os"

	"golang.org/x/sys/unix"
)

// memoryFile makes a file that is nowhere but in memory: no disk has any of it. It is
// gone when it is closed, however the program ends. A system that has no such files gets
// a temporary one.
func memoryFile() (file *os.File, name string, err error) {
	fd, err := unix.MemfdCreate("dcrspv", unix.MFD_CLOEXEC)
	if err != nil {
		return temporaryFile()
	}
	return os.NewFile(uintptr(fd), "memory"), "", nil
}
