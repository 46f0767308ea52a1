//go:build unix && !solaris && !aix

package chaindb

import (
	"os"
	"syscall"
)

// release closes the file of a bbolt that panicked. The lock that bbolt took is
// freed by name: the mapping that it leaves behind would keep it.
func release(file *os.File) error {
	_ = syscall.Flock(int(file.Fd()), syscall.LOCK_UN) // fails if it is not locked
	return file.Close()
}
