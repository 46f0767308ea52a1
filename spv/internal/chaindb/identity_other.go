//go:build !linux && !openbsd && !dragonfly && !solaris && !darwin && !freebsd && !netbsd

package chaindb

import "io/fs"

// identity is when a file was last written to: all that can be known of it here. Who
// brings a file from elsewhere can set that too.
func identity(info fs.FileInfo) (number uint64, changed int64) {
	return 0, info.ModTime().UnixNano()
}
