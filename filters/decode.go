package filters

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"slices"
)

// Parameters of the committed filter (DCP0005; dcrd: blockcf2.B, blockcf2.M).
const (
	remainderBits = 19     // B: low bits of a difference, written as they are
	falsePositive = 784931 // M: one false positive in M scripts
)

// ErrorKind identifies a kind of error. It has full support for errors.Is.
type ErrorKind string

// Error satisfies the error interface.
func (e ErrorKind) Error() string { return string(e) }

// ErrFilter means that the bytes are not a version 2 filter.
const ErrFilter = ErrorKind("malformed filter")

// parseCount splits a non-empty filter into the number of its values and the
// bit stream that holds them. Every value takes at least a stop bit and its
// remainder, so the count is bounded by the bytes at hand before anything is
// allocated for it.
func parseCount(filter []byte) (n uint64, stream []byte, err error) {
	size := 1
	switch filter[0] {
	case 0xfd:
		size = 3
	case 0xfe:
		size = 5
	case 0xff:
		size = 9
	}
	if len(filter) < size {
		return 0, nil, fmt.Errorf("%w: %d bytes end within the count", ErrFilter, len(filter))
	}
	var least uint64 // the smallest count that needs this form (wire.ReadVarInt)
	switch size {
	case 1:
		n = uint64(filter[0])
	case 3:
		n, least = uint64(binary.LittleEndian.Uint16(filter[1:])), 0xfd
	case 5:
		n, least = uint64(binary.LittleEndian.Uint32(filter[1:])), 1<<16
	case 9:
		n, least = binary.LittleEndian.Uint64(filter[1:]), 1<<32
	}
	if n < least {
		return 0, nil, fmt.Errorf("%w: count %d is not in its shortest form", ErrFilter, n)
	}
	stream = filter[size:]
	if n > uint64(len(stream))*8/(remainderBits+1) {
		return 0, nil, fmt.Errorf("%w: %d bytes cannot hold %d values", ErrFilter, len(stream), n)
	}
	return n, stream, nil
}

// decoded is a filter made ready for questions. It is reused from one filter to
// the next.
type decoded struct {
	modulus uint64   // values are below this
	values  []uint64 // ascending
	marks   []uint8  // marks[i] == mark: some value has value>>shift == i; else it is lower
	mark    uint8
	shift   uint64
	stream  []byte // the bit stream, and padding after it
}

// padding follows a stream, and may be read as well: a run of ones that long is
// never taken for a value.
const padding = "\xff\xff\xff\xff\xff\xff\xff\xff" + "\xff\xff\xff\xff\xff\xff\xff\xff" + "\xff\xff\xff\xff\xff\xff\xff\xff"

// has reports whether v is one of the values.
func (d *decoded) has(v uint64) bool {
	_, found := slices.BinarySearch(d.values, v)
	return found
}

// decode decodes the n values of a bit stream, and marks them, with one mark for
// every 2^shift values.
//
// A value is its difference to the one before: the quotient by 2^19 as that many
// one bits and a zero bit, then the remainder in 19 bits, high bit first.
func (d *decoded) decode(k kernel, n uint64, stream []byte, shift uint64) error {
	d.modulus, d.shift = n*falsePositive, shift
	d.values = slices.Grow(d.values[:0], int(n))[:n]
	d.erase(int(d.modulus>>shift) + 1)
	d.stream = append(append(d.stream[:0], stream...), padding...)

	var (
		last uint64            // the value before
		end  = len(stream) * 8 // in bits
		pos  int               // in bits
		todo = d.values
	)
	for len(todo) > 0 {
		if len(todo) > 1 {
			var done int
			done, pos, last = k.decodePairs(d, todo, pos, last)
			todo = todo[done:]
		}
		// The odd one at the end, or one with a run of ones too long for pairs.
		if len(todo) > 0 && pos <= end {
			quotient := ones(d.stream[:len(stream)], pos)
			pos += quotient + 1 + remainderBits
			w := window(d.stream, min(pos-remainderBits, end))
			last += uint64(quotient)<<remainderBits + w>>(64-remainderBits)
			if last < d.modulus {
				todo[0] = last
				todo = todo[1:]
				d.marks[last>>shift] = d.mark
			}
		}
		if pos > end || last >= d.modulus {
			return fmt.Errorf("%w: value %d of %d is cut off or out of range", ErrFilter, int(n)-len(todo), n)
		}
	}
	return nil
}

// erase makes n places without a mark. Each filter marks with a number of its own,
// so that those before need not be erased more than once in 255 times.
func (d *decoded) erase(n int) {
	d.mark++
	if d.mark == 0 {
		clear(d.marks[:cap(d.marks)])
		d.mark = 1
	}
	if n > cap(d.marks) {
		d.marks = make([]uint8, n+n/4)
	}
	d.marks = d.marks[:n]
}

// window returns the 64 - pos%8 bits of stream from bit position pos on, high
// bit first. There must be eight bytes from pos on.
func window(stream []byte, pos int) uint64 {
	return binary.BigEndian.Uint64(stream[pos>>3:]) << (pos & 7)
}

// ones returns the number of one bits in stream from bit position pos on, up to
// the first zero bit or the end.
func ones(stream []byte, pos int) int {
	start := pos
	for pos < len(stream)*8 {
		run := bits.LeadingZeros8(^(stream[pos>>3] << (pos & 7)))
		// The shift brings in zeros, which end the run where the byte ends.
		if pos&7+run < 8 {
			return pos + run - start
		}
		pos += run
	}
	return pos - start
}

// pairBits is the size of two values of quotient 0.
const pairBits = 2 * (remainderBits + 1)

// decodePairs decodes values to dst, of which there are two at least, two at a
// time, and marks them. The first starts at bit position pos and adds to
// last. It stops before a pair that has many one bits or goes out of range. It
// returns how many values it has decoded, and the new pos and last.
//
// The window w holds bits inverted, so that ones are leading zeros: held of them
// for certain. What it is filled up from is loaded one step ahead, because the
// load would otherwise be part of the chain from one pair to the next.
func (d *decoded) decodePairs(dst []uint64, pos int, last uint64) (done, newPos int, newLast uint64) {
	const all = 1<<(remainderBits+1) - 1
	stream, shift := d.stream, d.shift
	p := pos>>3 + 7 // the byte after the bits held
	w := ^window(stream, pos) &^ (1<<(pos&7+8) - 1)
	next := ^binary.BigEndian.Uint64(stream[p:])
	for held := 56 - pos&7; done+2 <= len(dst); {
		w |= next >> (held & 63)
		p += (63 - held) >> 3
		held |= 56
		next = ^binary.BigEndian.Uint64(stream[p:])

		q1 := bits.LeadingZeros64(w)
		w2 := w << (remainderBits + 1) << (q1 & 63)
		q2 := bits.LeadingZeros64(w2)
		if q1+q2+pairBits > held {
			break
		}
		// At the top of the shifted windows: the stop bit, and a remainder, both
		// inverted.
		v1 := last + uint64(q1)<<remainderBits + all - w<<(q1&63)>>(63-remainderBits)
		v2 := v1 + uint64(q2)<<remainderBits + all - w2<<(q2&63)>>(63-remainderBits)
		if v2 >= d.modulus {
			break
		}
		w = w2 << (remainderBits + 1) << (q2 & 63)
		held -= q1 + q2 + pairBits
		pos += q1 + q2 + pairBits
		last = v2
		dst[done], dst[done+1] = v1, v2
		done += 2
		d.marks[v1>>shift] = d.mark
		d.marks[v2>>shift] = d.mark
	}
	return done, pos, last
}
