package dbfile

import (
	"bytes"
	"errors"
	"os"
	"testing"
)

// TestHeads: a head that a crash has left half written is none, and the other one counts.
// One that was whole and is damaged is an error if it was the newer one.
// Rules 17 and 25.
func TestHeads(t *testing.T) {
	path, before := made(t)
	f := opened(t, path)
	put(t, f, 3)
	page := f.Info().PageSize
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	h, err := ReadHead(bytes.NewReader(good), page)
	if err != nil {
		t.Fatal(err)
	}
	newer, older := int(h.Page)*page+pageHeader, int(1-h.Page)*page+pageHeader
	check := func(name string, want bool, change func(b []byte)) {
		t.Helper()
		bad := bytes.Clone(good)
		change(bad)
		if err := checkHeads(bytes.NewReader(bad), page); want != (err == nil) || err != nil && !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
	check("as it is", true, func([]byte) {})
	for bit := range 8 * headSize {
		check("a bit of the newer one", false, func(b []byte) { b[newer+bit/8] ^= 1 << (bit % 8) })
		check("a bit of the older one", true, func(b []byte) { b[older+bit/8] ^= 1 << (bit % 8) })
	}
	for n := 8; n < headSize; n += 8 {
		check("half written", true, func(b []byte) { copy(b[newer+n:newer+headSize], before[newer+n:]) })
	}
	for _, at := range []int{newer, older} {
		check("zeros", false, func(b []byte) { copy(b[at:], make([]byte, headSize)) })
		check("noise", false, func(b []byte) { copy(b[at:], bytes.Repeat([]byte("noise"), 20)) })
	}
}
