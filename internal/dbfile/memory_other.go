//go:build !linux

package dbfile

import "os"

// memoryFile makes a temporary file, as here a file has to be on a disk.
func memoryFile() (file *os.File, name string, err error) { return temporaryFile() }
