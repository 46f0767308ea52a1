package chaindb

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"strings"
)

// A checksum that anybody can compute proves nothing about where a file is from. So
// beside chain.db lies chain.seal, with what the file system alone writes down about a
// file: its device and number, its size, and the time of its last change, which no
// program can set. They are those of chain.db as this program left it, together with
// its last transaction and the random name that it was given when it was made. A file
// that came from elsewhere, whatever its content, or that was changed while no program
// of ours ran, is another one; then all of it is verified (see [DB.Adopt]).
//
// The seal is renewed after each transaction. Should the program be killed between the
// two, or the machine lose power, the file is verified once for nothing.
type seal struct {
	ID      string `json:"id"`
	Tx      uint64 `json:"tx"`
	Size    int64  `json:"size"`
	Device  uint64 `json:"device"`
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
	if err != nil || json.Unmarshal(data, s) != nil {
		return nil
	}
	return s
}

// isSeal reports whether a file, no link, of the size of a seal is there. What a directory
// from elsewhere has in its place may be a pipe, endless, or lead to a file that is precious.
func isSeal(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && info.Mode().IsRegular() && info.Size() == sealSize
}

// unbroken reports whether a file is as it was when it was sealed.
func (s *seal) unbroken(file *os.File, tx uint64) bool {
	if s == nil {
		return false
	}
	now := seal{ID: s.ID, Tx: tx}
	return now.look(file) == nil && now == *s
}

// look takes what the file system says.
func (s *seal) look(file *os.File) error {
	info, err := file.Stat()
	if err == nil {
		s.Size = info.Size()
		s.Device, s.Number, s.Changed = identity(info)
	}
	return err
}

// Trusted reports whether everything in the file was verified here. What is read of one
// that is not may be wrong.
func (db *DB) Trusted() bool { return db.trusted.Load() }

// trust takes the file, as it is, for verified. What was set aside in one that was not
// trusted goes, as nobody has verified it, and the blobs of one that was made elsewhere, as
// nothing can tell whether they are right.
func (db *DB) trust() error {
	own, aside := db.own.Load(), db.state.Load().severed
	if !own || !db.Trusted() && aside != nil {
		err := db.update(func(r *reader) error {
			if err := r.dropSevered(); err != nil || own {
				return err
			}
			if err := r.tx.DeleteBucket(blobsBucket); err != nil {
				return err
			}
			_, err := r.tx.CreateBucket(blobsBucket)
			return err
		})
		if err != nil {
			return err
		}
	}
	db.mu.Lock()
	defer db.mu.Unlock()
	db.own.Store(true)
	db.trusted.Store(true)
	db.renewSeal()
	return nil
}

// renewSeal is called after each transaction, with mu held. Failing costs a verification at the next
// start, and nothing now.
func (db *DB) renewSeal() {
	if !db.trusted.Load() {
		return
	}
	s := seal{ID: hex.EncodeToString(db.id), Tx: db.file.Committed()}
	if s.look(db.file.OS()) != nil {
		return
	}
	data, err := json.Marshal(s)
	if err != nil || len(data) >= sealSize {
		return
	}
	// In place, and always of one size: after a loss of power it is the old one or
	// this, and the file keeps its blobs either way.
	if !isSeal(sealPath(db.path)) {
		os.Remove(sealPath(db.path))
	}
	line := append(bytes.Repeat([]byte{' '}, sealSize-1), '\n')
	copy(line, data)
	file, err := os.OpenFile(sealPath(db.path), os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return
	}
	_, _ = file.WriteAt(line, 0)
	_ = file.Truncate(sealSize)
	file.Close()
}
