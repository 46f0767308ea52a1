package chaindb

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"strings"
	"sync/atomic"

	"dcrspv/internal/dbfile"
)

// seal is the content of chain.seal, which lies beside chain.db. A checksum that anybody
// can compute proves nothing about where a file is from. So the seal holds what only the
// file system writes about chain.db: its number, its size, and the time of its last
// change, which no program can set; all as this program left the file. It also holds the
// last transaction, the random name of the file, and the number of the seal's own file,
// so that a copied seal is not valid. If a file came from elsewhere, or was changed while
// none of our programs ran, its seal does not fit, and all of it is verified (see
// [DB.Adopt]). This does not protect against somebody who replaces the whole disk, and on
// Windows the time can be set.
//
// The seal is renewed after each transaction. If the program is killed between the two,
// or the machine loses power, the file is verified once without need.
type seal struct {
	ID      string `json:"id"`
	Tx      uint64 `json:"tx"`
	Size    int64  `json:"size"`
	Self    uint64 `json:"self"`   // the number of the seal's own file
	Number  uint64 `json:"number"` // of the inode
	Changed int64  `json:"changed"`
}

// sealSize is the size of a seal in bytes, a line of text.
const sealSize = 256

// fileIDSize is the size of a file's random name in bytes.
const fileIDSize = 16

// sealPath is where the seal of a chain file is.
func sealPath(path string) string { return strings.TrimSuffix(path, ".db") + ".seal" }

// readSeal reads the seal of a chain file; nil if there is none. Nobody else may have the
// file open: its seal changes with it.
func readSeal(path string) *seal {
	if !isSeal(sealPath(path)) {
		return nil
	}
	data, err := os.ReadFile(sealPath(path))
	s := new(seal)
	if err != nil || json.Unmarshal(data, s) != nil || s.Self != numberOf(sealPath(path)) {
		return nil
	}
	return s
}

// numberOf is the number that the file system knows a file by; 0 where it has none.
func numberOf(path string) uint64 {
	info, err := os.Lstat(path)
	if err != nil {
		return 0
	}
	number, _ := identity(info)
	return number
}

// isSeal reports whether there is a regular file of the size of a seal. In a directory
// from elsewhere there may be a pipe without end in its place, or a link to a precious
// file.
func isSeal(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && info.Mode().IsRegular() && info.Size() == sealSize
}

// unbroken reports whether a file is the same as when it was sealed.
func (s *seal) unbroken(file *os.File, tx uint64) bool {
	if s == nil {
		return false
	}
	now := seal{ID: s.ID, Tx: tx, Self: s.Self}
	return now.look(file) == nil && now == *s
}

// look takes what the file system says about a file.
func (s *seal) look(file *os.File) error {
	info, err := file.Stat()
	if err == nil {
		s.Size = info.Size()
		s.Number, s.Changed = identity(info)
	}
	return err
}

// origin is where a file is from, and what is known of its content.
type origin struct {
	path    string      // of the file; "" has no seal
	id      []byte      // of this file, told apart from others
	own     atomic.Bool // it was made here
	trusted atomic.Bool // all of it was verified here
}

func (o *origin) setID(id []byte) { o.id = id }

// ours notes that the file was made here, or was verified here as a whole.
func (o *origin) ours() {
	o.own.Store(true)
	o.trusted.Store(true)
}

// recall says what the seal that a file was left with says about it.
func (o *origin) recall(left *seal, file *dbfile.File) {
	o.own.Store(left != nil && left.ID == hex.EncodeToString(o.id))
	o.trusted.Store(o.own.Load() && left.unbroken(file.OS(), file.Committed()))
}

// renewSeal writes the seal. It is called after each transaction, while no other one
// can begin. Failing costs a verification at the next start, and nothing now. The seal
// of a file that is not trusted any more says no more than that it is ours.
func (o *origin) renewSeal(from *dbfile.File) {
	if !o.own.Load() || o.path == "" {
		return
	}
	path := sealPath(o.path)
	if !isSeal(path) {
		os.Remove(path)
		if os.WriteFile(path, make([]byte, sealSize), 0o600) != nil {
			return
		}
	}
	s := seal{ID: hex.EncodeToString(o.id), Self: numberOf(path)}
	if o.trusted.Load() {
		s.Tx = from.Committed()
		if s.look(from.OS()) != nil {
			return
		}
	}
	data, err := json.Marshal(s)
	if err != nil || len(data) >= sealSize {
		return
	}
	// In place, and always of one size: after a loss of power it is the old one or
	// this, and the file keeps its blobs either way.
	line := append(bytes.Repeat([]byte{' '}, sealSize-1), '\n')
	copy(line, data)
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return
	}
	_, _ = file.WriteAt(line, 0)
	file.Close()
}
