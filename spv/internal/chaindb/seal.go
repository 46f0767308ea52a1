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
// file: its number, its size, and the time of its last change, which no
// program can set. They are those of chain.db as this program left it, together with
// its last transaction, the random name that it was given when it was made, and the
// number of the seal's own file, so that one that was copied along is none. A file
// that came from elsewhere, whatever its content, or that was changed while no program
// of ours ran, is another one; then all of it is verified (see [DB.Adopt]). Who brings a
// whole disk can bring these too, and on Windows the time can be set.
//
// The seal is renewed after each transaction. Should the program be killed between the
// two, or the machine lose power, the file is verified once for nothing.
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
	now := seal{ID: s.ID, Tx: tx, Self: s.Self}
	return now.look(file) == nil && now == *s
}

// look takes what the file system says.
func (s *seal) look(file *os.File) error {
	info, err := file.Stat()
	if err == nil {
		s.Size = info.Size()
		s.Number, s.Changed = identity(info)
	}
	return err
}

// Trusted reports whether everything in the file was verified here. What is read of one
// that is not may be wrong.
func (db *DB) Trusted() bool { return db.trusted.Load() }

// trust takes the file, as it is, for verified, but for what was set aside. Of one that was
// made elsewhere that goes, and the blobs, as nothing can tell whether they are right.
func (db *DB) trust() error {
	own, aside := db.own.Load(), db.state.Load().severed
	if !own || !db.Trusted() && aside != nil {
		err := db.update(func(r *reader) error {
			if own {
				unverified := *aside
				unverified.trusted = false
				r.severed = &unverified
				return nil
			}
			if err := r.dropSevered(); err != nil {
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

// Distrust has all of the file verified before it is used again: where something has turned
// bad there may be more.
func (db *DB) Distrust() {
	db.mu.Lock()
	defer db.mu.Unlock()
	db.trusted.Store(false)
	db.renewSeal()
}

// renewSeal is called after each transaction, with mu held. Failing costs a verification
// at the next start, and nothing now. The seal of a file that is not trusted any more says
// no more than that it is ours.
func (db *DB) renewSeal() {
	if !db.own.Load() {
		return
	}
	path := sealPath(db.path)
	if !isSeal(path) {
		os.Remove(path)
		if os.WriteFile(path, make([]byte, sealSize), 0o600) != nil {
			return
		}
	}
	s := seal{ID: hex.EncodeToString(db.id), Self: numberOf(path)}
	if db.Trusted() {
		s.Tx = db.file.Committed()
		if s.look(db.file.OS()) != nil {
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
