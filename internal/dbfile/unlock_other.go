//go:build !unix || solaris || aix

package dbfile

import "os"

// unlock closes a file whose bbolt can't do it any more, and with it its lock.
func unlock(file *os.File) error { return file.Close() }
