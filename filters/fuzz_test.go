package filters

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"slices"
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
// Rule 16.
func FuzzMatch(f *testing.F) {
	f.Add([]byte("0123456789abcdef"), []byte{1, 'a', 2, 'b', 'c'}, []byte{2, 'b', 'c'})
	f.Add([]byte("0123456789abcdef"), []byte{1, 'a', 0, 3, 1, 2, 3}, []byte{0, 8, 1, 2, 3, 4, 5, 6, 7, 8})
	f.Add([]byte{}, []byte{}, []byte{1})
	many := randomBytes(rand.New(rand.NewPCG(21, 22)), 4000)
	f.Add([]byte("fedcba9876543210"), many, many[3900:])
	f.Add([]byte("fedcba9876543210"), many[:1000], many[1001:])
	f.Fuzz(func(t *testing.T, keyBytes, inBlock, wanted []byte) {
		var key [16]byte
		copy(key[:], keyBytes)
		filter := dcrdFilter(t, key, split(inBlock))
		scripts := split(wanted)
		want := dcrdMatch(t, key, filter, scripts)
		for _, k := range kernels() {
			got, err := new(Matcher).match(k, NewQuery(scripts), key, filter)
			if err != nil || got != want {
				t.Fatalf("%v: got %v, %v, dcrd says %v", k, got, err, want)
			}
		}
	})
}

// FuzzMalformed feeds arbitrary bytes: no panic, only ErrFilter, and whatever is
// accepted means what it means to dcrd. (dcrd accepts more: it notices a cut off
// filter only while it reads it, and then says no match.)
// Rule 21.
func FuzzMalformed(f *testing.F) {
	f.Add([]byte{}, []byte{1, 'a'})
	f.Add([]byte{0xfd, 0x01, 0x00, 1, 2, 3}, []byte{1, 'a'})
	f.Add([]byte{2, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00}, []byte{1, 'a'})
	f.Add(dcrdFilter(f, [16]byte{}, [][]byte{{'a'}, {'b'}, {'c', 'd'}}), []byte{1, 'a'})
	scripts := split(randomBytes(rand.New(rand.NewPCG(23, 24)), 4000))
	f.Add(dcrdFilter(f, [16]byte{}, scripts), []byte{1, 'a', 2, 'b', 'c'})
	f.Fuzz(func(t *testing.T, filter, wanted []byte) {
		var key [16]byte
		scripts := split(wanted)
		var m Matcher
		got, err := m.match(generic, NewQuery(scripts), key, filter)
		if cap(m.filter.values) > len(filter)+64 {
			t.Fatalf("%d values for %d bytes", cap(m.filter.values), len(filter))
		}
		for _, k := range kernels() {
			other, otherErr := new(Matcher).match(k, NewQuery(scripts), key, filter)
			if other != got || (otherErr == nil) != (err == nil) {
				t.Fatalf("%v: got %v, %v, plain Go %v, %v", k, other, otherErr, got, err)
			}
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

// FuzzDecode compares the kernels' values to those of plain Go and of dcrd's
// rules, one bit at a time, for arbitrary streams.
func FuzzDecode(f *testing.F) {
	f.Add(uint16(3), []byte{0x80, 0, 0, 0x40, 0, 0, 0x20, 0, 0, 1, 2, 3})
	f.Add(uint16(4), bytes.Repeat([]byte{0xff, 0xff, 0x00}, 8))
	f.Add(uint16(2), []byte{0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
	rng := rand.New(rand.NewPCG(19, 20))
	for _, n := range []int{8, 9, 31, 100} {
		values := make([]uint64, n)
		for i := range values {
			values[i] = rng.Uint64N(uint64(n) * falsePositive)
		}
		slices.Sort(values)
		f.Add(uint16(n), encodeValues(values))
	}
	f.Fuzz(func(t *testing.T, n uint16, stream []byte) {
		if n = n % 1024; n == 0 {
			return
		}
		want, ok := plainDecode(uint64(n), stream)
		for _, k := range kernels() {
			got, err := decodeValues(t, k, uint64(n), stream)
			if (err == nil) != ok || ok && !slices.Equal(got, want) {
				t.Fatalf("%v: got %v, %v, want %v, %v", k, got, err, want, ok)
			}
		}
	})
}

// plainDecode is the plainest possible decoder.
func plainDecode(n uint64, stream []byte) (values []uint64, ok bool) {
	pos := 0
	bit := func() uint64 {
		pos++
		if pos > len(stream)*8 {
			ok = false
			return 0
		}
		return uint64(stream[(pos-1)/8] >> (7 - (pos-1)%8) & 1)
	}
	ok = true
	var last uint64
	for range n {
		for bit() == 1 {
			last += 1 << remainderBits
		}
		for i := remainderBits - 1; i >= 0; i-- {
			last += bit() << i
		}
		if !ok || last >= n*falsePositive {
			return nil, false
		}
		values = append(values, last)
	}
	return values, true
}

// FuzzSearch compares the kernels' hashes and bits to the reference SipHash, for
// scripts of any length and moduli of any size.
func FuzzSearch(f *testing.F) {
	f.Add([]byte("0123456789abcdef"), uint64(90*falsePositive), uint16(1), []byte{25, 1, 2, 3, 4, 5, 6, 7, 8})
	f.Add([]byte("fedcba9876543210"), uint64(1<<32-1), uint16(17), []byte{3, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 4})
	f.Add([]byte{}, uint64(1<<32), uint16(40), []byte{8, 1, 2, 3, 4, 5, 6, 7, 8})
	f.Fuzz(func(t *testing.T, keyBytes []byte, modulus uint64, count uint16, data []byte) {
		if len(data) == 0 || modulus>>44 != 0 {
			return
		}
		var key [16]byte
		copy(key[:], keyBytes)
		scripts := make([][]byte, count%200+1) // of one length, all different
		for i := range scripts {
			scripts[i] = append(binary.LittleEndian.AppendUint16(nil, uint16(i)), data...)
		}
		for _, k := range kernels() {
			checkSearch(t, k, key, modulus, scripts)
		}
	})
}
