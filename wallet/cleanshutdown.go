package wallet

import (
	"hash/fnv"
	"os"
	"time"

	"dcrspv/internal/dbfile"
)

// A file that was closed in good order carries a mark that says so: the bbolt
// transaction, size and time of modification that it had then. If they are still
// the same, nobody has written to it since, and Open reads only what is watched and
// the pages that lead to it. Those that lead to the history, a hundredth of the file, are
// read when that is first asked for or something is written. Without a mark, or if
// anything is different, Open reads all of the file, as it always does of a small one, and
// as Verify does of any.
//
// This misses only damage that does not change the modification time: a medium that has
// lost what was on it, or a copy with mistakes that has kept the time. Reading such a page is an error then (see
// package dbfile), or Verify finds it.
//
// The mark is in the unused second half of the page of the newest head. bbolt
// writes the whole page with each second transaction, so there is no mark then.
//
//	mark  magic 8, transaction 8, size 8, time 8 (unix seconds), FNV-1a 8
const (
	markMagic = 0xdc51ea60c105ed01
	markSize  = 40

	// smallFile is always read: that takes less than 20 ms.
	smallFile = 16 << 20
)

func encodeMark(h dbfile.Head, size int64, when time.Time) []byte {
	b := be.AppendUint64(make([]byte, 0, markSize), markMagic)
	b = be.AppendUint64(be.AppendUint64(b, h.Tx), uint64(size))
	b = be.AppendUint64(b, uint64(when.Unix()))
	sum := fnv.New64a()
	sum.Write(b)
	return be.AppendUint64(b, sum.Sum64())
}

// markPlace is where the mark of a head is.
func markPlace(h dbfile.Head) int64 { return h.Page*int64(h.PageSize) + int64(h.PageSize)/2 }

// markClosed marks a file that is about to be closed, and that nobody else can
// write to yet. Failing is harmless.
func markClosed(file *os.File, h dbfile.Head) {
	info, err := file.Stat()
	if err != nil || info.Size() <= smallFile {
		return
	}
	now := time.Now().Truncate(time.Second)
	if _, err := file.WriteAt(encodeMark(h, info.Size(), now), markPlace(h)); err == nil {
		_ = os.Chtimes(file.Name(), now, now) // else the mark does not count
	}
}

// isMarked reports whether a file is as it was when it was closed in good order.
func isMarked(file *os.File, h dbfile.Head) bool {
	info, err := file.Stat()
	if err != nil || info.Size() <= smallFile || info.ModTime().Nanosecond() != 0 {
		return false
	}
	b := make([]byte, markSize)
	if _, err := file.ReadAt(b, markPlace(h)); err != nil {
		return false
	}
	return string(b) == string(encodeMark(h, info.Size(), info.ModTime()))
}
