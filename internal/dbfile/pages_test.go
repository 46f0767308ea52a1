package dbfile

import (
	"errors"
	"hash/fnv"
	"os"
	"runtime"
	"testing"
)

// setHead changes a head and gives it the checksum that goes with it.
func setHead(content []byte, at int, edit func(head []byte)) {
	head := content[at+pageHeader:][:headSize]
	edit(head)
	sum := fnv.New64a()
	sum.Write(head[:headSize-8])
	native.PutUint64(head[headSize-8:], sum.Sum64())
}

// wantDamaged checks that Open refuses a file.
func wantDamaged(t *testing.T, name, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if r := recover(); r != nil {
			t.Errorf("%s: Open panics: %v", name, r)
		}
	}()
	f, err := Open(path, Options{})
	if err == nil {
		f.Close()
	}
	if !errors.Is(err, ErrDamaged) {
		t.Errorf("%s: %v", name, err)
	}
}

// TestPageSize: a head may say that pages have any size.
func TestPageSize(t *testing.T) {
	path, good := made(t)
	for _, size := range []uint32{0, 1, 8, 16, 64, 1000, 1 << 31, 1<<32 - 1} {
		content := append([]byte{}, good...)
		setHead(content, 0, func(head []byte) { native.PutUint32(head[8:], size) })
		wantDamaged(t, "page size", path, content)
	}
}

// TestHeadVersion: a head of another version is none for bbolt, however new it is. What
// is checked must be what bbolt will use.
func TestHeadVersion(t *testing.T) {
	path, content := made(t)
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	size := os.Getpagesize()
	newest, err := ReadHead(file, size)
	if err != nil {
		t.Fatal(err)
	}
	// The head that bbolt will use has a page for its root that is noise.
	setHead(content, int(newest.Page)*size, func(head []byte) { native.PutUint32(head[4:], 3) })
	setHead(content, int(1-newest.Page)*size, func(head []byte) { native.PutUint64(head[16:], 0) })
	wantDamaged(t, "version", path, content)
}

// TestDeepPages: branches one below the other, each with one entry, as deep as a file is
// long, must not use up the stack, which can't be caught.
func TestDeepPages(t *testing.T) {
	path, good := made(t)
	size := os.Getpagesize()
	const depth = 3000 // of what a crafted file may have millions
	content := make([]byte, (depth+4)*size)
	copy(content, good[:2*size])
	for id := uint64(2); id < depth+2; id++ {
		p := content[int(id)*size:]
		native.PutUint64(p, id)
		native.PutUint16(p[8:], kindBranch)
		native.PutUint16(p[10:], 1)
		e := p[pageHeader:]
		native.PutUint32(e, entrySize)
		native.PutUint32(e[4:], 1)
		native.PutUint64(e[8:], id+1)
		e[entrySize] = 'a'
	}
	leaf := content[(depth+2)*size:]
	native.PutUint64(leaf, depth+2)
	native.PutUint16(leaf[8:], kindLeaf)
	native.PutUint16(leaf[10:], 1)
	native.PutUint32(leaf[pageHeader+4:], entrySize)
	native.PutUint32(leaf[pageHeader+8:], 1)
	leaf[pageHeader+entrySize] = 'a'
	free := content[(depth+3)*size:]
	native.PutUint64(free, depth+3)
	native.PutUint16(free[8:], kindFree)
	for page := range 2 {
		setHead(content, page*size, func(head []byte) {
			native.PutUint64(head[16:], 2)
			native.PutUint64(head[32:], depth+3)
			native.PutUint64(head[40:], depth+4)
		})
	}
	wantDamaged(t, "depth", path, content)
}

// TestHugePage: a page that says that a million others belong to it, in a file with a
// hole of that size, must not be read into memory.
// Rule 20.
func TestHugePage(t *testing.T) {
	path, content := made(t)
	size := os.Getpagesize()
	const pages = 1 << 17 // 512 MB; a hole may as well be of terabytes
	for page := range 2 {
		setHead(content, page*size, func(head []byte) {
			native.PutUint64(head[16:], 2)
			native.PutUint64(head[40:], pages)
		})
	}
	p := content[2*size:]
	native.PutUint64(p, 2)
	native.PutUint16(p[8:], kindLeaf)
	native.PutUint16(p[10:], 0)
	native.PutUint32(p[12:], pages-3)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, pages*int64(size)); err != nil {
		t.Fatal(err)
	}
	before := allocated()
	if f, err := Open(path, Options{}); err == nil {
		f.Close()
	}
	if grown := allocated() - before; grown > 64<<20 {
		t.Errorf("Open allocated %d MB for one page", grown>>20)
	}
}

// allocated is how many bytes were ever allocated.
func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}
