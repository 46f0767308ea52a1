//go:build !unix || solaris || aix || openbsd

package dbfile

// addressSpace is how many bytes of address space this process may have; 0 if there is no
// limit.
func addressSpace() uint64 { return 0 }
