//go:build !unix || solaris || aix

package chaindb

import "os"

// release closes the file of a bbolt that panicked, which frees its lock.
func release(file *os.File) error { return file.Close() }
