//go:build darwin || freebsd || netbsd

package chaindb

import (
	"io/fs"
	"syscall"
)

// identity is what the file system says about a file that no program can set: its
// number, and when it was last changed in any way (nanoseconds).
func identity(info fs.FileInfo) (number uint64, changed int64) {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(s.Ino), s.Ctimespec.Nano()
	}
	return 0, info.ModTime().UnixNano()
}
