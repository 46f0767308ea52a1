//go:build unix && !solaris && !aix

package dbfile

import (
	"os"
	"syscall"
)

// unlock closes a file whose bbolt can't do it any more. The mapping that stays
// behind would keep the lock, so that is given back by name.
func unlock(file *os.File) error {
	_ = syscall.Flock(int(file.Fd()), syscall.LOCK_UN) // fails if there is none
	return file.Close()
}
