//go:build unix

package main

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
)

const (
	chainFile  = "chain.db"
	walletFile = "wallet.db"
)

// class is a kind of damage to the files of a network in a data directory. It reports
// whether it has changed anything.
type class struct {
	name    string
	file    string // that is damaged
	running bool   // under a running program
	lost    bool   // nothing is left of it: that is said, and the user has to act
	damage  func(w *world, path string, rng *rand.Rand) (changed bool, err error)
}

// all are the classes of damage.
var all = func() (classes []class) {
	for _, file := range []string{chainFile, walletFile} {
		for _, c := range content {
			classes = append(classes, class{name: file + " " + c.name, file: file, damage: overwrite(c.edit)})
		}
		classes = append(classes,
			class{name: file + " old", file: file, damage: old},
			class{name: file + " other file", file: file, damage: other},
			class{name: file + " directory", file: file, damage: directory},
		)
		for _, c := range content {
			classes = append(classes, class{name: file + " running " + c.name, file: file, running: true, damage: overwrite(c.edit)})
		}
		classes = append(classes,
			class{name: file + " running old", file: file, running: true, damage: old},
			class{name: file + " running old moved", file: file, running: true, damage: oldMoved},
			class{name: file + " running deleted", file: file, running: true, lost: true, damage: func(_ *world, path string, _ *rand.Rand) (bool, error) {
				return true, os.Remove(path)
			}},
		)
	}
	return append(classes,
		class{name: chainFile + " deleted", file: chainFile, damage: func(_ *world, path string, _ *rand.Rand) (bool, error) {
			return true, os.Remove(path)
		}},
		class{name: chainFile + " copied", file: chainFile, damage: func(_ *world, path string, _ *rand.Rand) (bool, error) {
			data, err := os.ReadFile(path)
			return true, errors.Join(err, os.Remove(path), os.WriteFile(path, data, 0o600))
		}},
		class{name: chainFile + " seal", file: chainFile, damage: func(_ *world, path string, rng *rand.Rand) (bool, error) {
			return true, os.WriteFile(filepath.Join(filepath.Dir(path), "chain.seal"), noise(rng, rng.IntN(600)), 0o600)
		}},
	)
}()

// content are changes of a file's content.
var content = []struct {
	name string
	edit func(b []byte, rng *rand.Rand) []byte
}{
	{"bit", func(b []byte, rng *rand.Rand) []byte { return flip(b, rng, 1) }},
	{"bits", func(b []byte, rng *rand.Rand) []byte { return flip(b, rng, 2+rng.IntN(30)) }},
	{"byte", func(b []byte, rng *rand.Rand) []byte {
		b[rng.IntN(len(b))] = byte(rng.Uint32())
		return b
	}},
	{"noise", func(b []byte, rng *rand.Rand) []byte {
		at := rng.IntN(len(b))
		copy(b[at:], noise(rng, 1+rng.IntN(20_000)))
		return b
	}},
	{"zeros", func(b []byte, rng *rand.Rand) []byte {
		at := rng.IntN(len(b))
		clear(b[at:min(len(b), at+1+rng.IntN(20_000))])
		return b
	}},
	{"head of a page", func(b []byte, rng *rand.Rand) []byte {
		at := rng.IntN(len(b)/pageSize)*pageSize + rng.IntN(64)
		b[at] ^= 1 << rng.IntN(8)
		return b
	}},
	{"page zeroed", func(b []byte, rng *rand.Rand) []byte {
		clear(onePage(b, rng))
		return b
	}},
	{"page twice", func(b []byte, rng *rand.Rand) []byte {
		copy(onePage(b, rng), onePage(b, rng))
		return b
	}},
	{"pages swapped", func(b []byte, rng *rand.Rand) []byte {
		p, q := onePage(b, rng), onePage(b, rng)
		kept := bytes.Clone(p)
		copy(p, q)
		copy(q, kept)
		return b
	}},
	{"cut", func(b []byte, rng *rand.Rand) []byte { return b[:rng.IntN(len(b))] }},
	{"cut to pages", func(b []byte, rng *rand.Rand) []byte { return b[:rng.IntN(len(b)/pageSize)*pageSize] }},
	{"longer", func(b []byte, rng *rand.Rand) []byte { return append(b, noise(rng, 1+rng.IntN(100_000))...) }},
	{"part missing", func(b []byte, rng *rand.Rand) []byte {
		at := rng.IntN(len(b))
		return append(b[:at], b[min(len(b), at+1+rng.IntN(10_000)):]...)
	}},
	{"empty", func([]byte, *rand.Rand) []byte { return nil }},
	{"all noise", func(b []byte, rng *rand.Rand) []byte { return noise(rng, len(b)) }},
	{"all zeros", func(b []byte, _ *rand.Rand) []byte { clear(b); return b }},
}

const pageSize = 4096

func onePage(b []byte, rng *rand.Rand) []byte {
	return b[rng.IntN(len(b)/pageSize)*pageSize:][:pageSize]
}

func flip(b []byte, rng *rand.Rand, n int) []byte {
	for range n {
		b[rng.IntN(len(b))] ^= 1 << rng.IntN(8)
	}
	return b
}

func noise(rng *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	return b
}

// overwrite edits the content of a file in place.
func overwrite(edit func(b []byte, rng *rand.Rand) []byte) func(*world, string, *rand.Rand) (bool, error) {
	return func(_ *world, path string, rng *rand.Rand) (bool, error) {
		good, err := os.ReadFile(path)
		if err != nil {
			return false, err
		}
		bad := edit(bytes.Clone(good), rng)
		return !bytes.Equal(good, bad), inPlace(path, bad)
	}
}

// inPlace writes a file without its ever being shorter than both contents.
func inPlace(path string, b []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(b, 0)
	return errors.Join(err, f.Truncate(int64(len(b))), f.Close())
}

// old brings back the file as it was long ago, in place.
func old(w *world, path string, _ *rand.Rand) (bool, error) {
	b, err := os.ReadFile(w.oldFile(path))
	if err != nil {
		return false, err
	}
	return true, inPlace(path, b)
}

// oldMoved puts the file as it was long ago into its place.
func oldMoved(w *world, path string, _ *rand.Rand) (bool, error) {
	from, err := os.Open(w.oldFile(path))
	if err != nil {
		return false, err
	}
	defer from.Close()
	to, err := os.Create(path + ".new")
	if err != nil {
		return false, err
	}
	_, err = io.Copy(to, from)
	return true, errors.Join(err, to.Close(), os.Rename(path+".new", path))
}

// oldFile is a file as it was long ago.
func (w *world) oldFile(path string) string {
	return filepath.Join(w.old, network, filepath.Base(path))
}

// other puts the other one of the two files into the place of one.
func other(_ *world, path string, _ *rand.Rand) (bool, error) {
	name := chainFile
	if filepath.Base(path) == chainFile {
		name = walletFile
	}
	b, err := os.ReadFile(filepath.Join(filepath.Dir(path), name))
	return true, errors.Join(err, inPlace(path, b))
}

// directory puts a directory into the place of the file.
func directory(_ *world, path string, _ *rand.Rand) (bool, error) {
	return true, errors.Join(os.Remove(path), os.Mkdir(path, 0o700))
}
