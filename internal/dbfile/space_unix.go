//go:build unix && !solaris && !aix && !openbsd

package dbfile

import "syscall"

// addressSpace is how many bytes of address space this process may have; 0 if there is no
// limit.
func addressSpace() uint64 {
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_AS, &limit) != nil || uint64(limit.Cur) >= 1<<62 {
		return 0
	}
	return uint64(limit.Cur)
}
