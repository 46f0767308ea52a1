package filters

import (
	"errors"
	"testing"

	"github.com/decred/dcrd/gcs/v4"
	"github.com/decred/dcrd/gcs/v4/blockcf2"
)

// split cuts data into scripts: a length byte, then that many bytes.
func split(data []byte) [][]byte {
	var scripts [][]byte
	for len(data) > 0 {
		n := min(int(data[0]), len(data)-1)
		scripts = append(scripts, data[1:1+n])
		data = data[1+n:]
	}
	return scripts
}

// FuzzMatch compares Match to dcrd on good filters.
func FuzzMatch(f *testing.F) {
	f.Add([]byte("0123456789abcdef"), []byte{1, 'a', 2, 'b', 'c'}, []byte{2, 'b', 'c'})
	f.Add([]byte("0123456789abcdef"), []byte{1, 'a', 0, 3, 1, 2, 3}, []byte{0, 8, 1, 2, 3, 4, 5, 6, 7, 8})
	f.Add([]byte{}, []byte{}, []byte{1})
	f.Fuzz(func(t *testing.T, keyBytes, inBlock, wanted []byte) {
		var key [16]byte
		copy(key[:], keyBytes)
		filter := dcrdFilter(t, key, split(inBlock))
		scripts := split(wanted)
		got, err := new(Matcher).Match(NewQuery(scripts), key, filter)
		if err != nil {
			t.Fatal(err)
		}
		if want := dcrdMatch(t, key, filter, scripts); got != want {
			t.Fatalf("got %v, dcrd says %v", got, want)
		}
	})
}

// FuzzMalformed feeds arbitrary bytes: no panic, only ErrFilter, and whatever is
// accepted means what it means to dcrd. (dcrd accepts more: it notices a cut off
// filter only while it reads it, and then says no match.)
func FuzzMalformed(f *testing.F) {
	f.Add([]byte{}, []byte{1, 'a'})
	f.Add([]byte{0xfd, 0x01, 0x00, 1, 2, 3}, []byte{1, 'a'})
	f.Add([]byte{2, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00}, []byte{1, 'a'})
	f.Add(dcrdFilter(f, [16]byte{}, [][]byte{{'a'}, {'b'}, {'c', 'd'}}), []byte{1, 'a'})
	f.Fuzz(func(t *testing.T, filter, wanted []byte) {
		var key [16]byte
		scripts := split(wanted)
		var m Matcher
		got, err := m.Match(NewQuery(scripts), key, filter)
		if cap(m.values) > len(filter)+64 {
			t.Fatalf("%d values for %d bytes", cap(m.values), len(filter))
		}
		if err != nil {
			if got || !errors.Is(err, ErrFilter) {
				t.Fatalf("got %v, %v", got, err)
			}
			return
		}
		if _, err := gcs.FromBytesV2(blockcf2.B, blockcf2.M, filter); err != nil {
			t.Fatalf("accepted what dcrd rejects: %v", err)
		}
		if want := dcrdMatch(t, key, filter, scripts); got != want {
			t.Fatalf("got %v, dcrd says %v", got, want)
		}
	})
}
