package filters

import (
	"encoding/binary"
	"fmt"
	"math/bits"
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

// decode appends the n values of a bit stream, in ascending order, to dst.
//
// A value is its difference to the one before: the quotient by 2^19 as that many
// one bits and a zero bit, then the remainder in 19 bits, high bit first.
func decode(dst []uint64, n uint64, stream []byte) ([]uint64, error) {
	var (
		last  uint64              // the value before
		limit = n * falsePositive // values are below this
		end   = len(stream) * 8   // in bits
		pos   int                 // in bits
	)
	for range n {
		w := window(stream, pos)
		quotient := bits.LeadingZeros64(^w)
		if quotient <= windowBits-1-remainderBits {
			w <<= (quotient + 1) & 63
		} else {
			// The run of ones is too long for one window: rare.
			quotient = ones(stream, pos)
			w = window(stream, pos+quotient) << 1
		}
		pos += quotient + 1 + remainderBits
		last += uint64(quotient)<<remainderBits + w>>(64-remainderBits)
		if pos > end || last >= limit {
			return dst, fmt.Errorf("%w: value %d of %d is cut off or out of range", ErrFilter, len(dst), n)
		}
		dst = append(dst, last)
	}
	return dst, nil
}

// windowBits is the number of bits that a window holds at least.
const windowBits = 57

// window returns the bits of stream from bit position pos on, high bit first: at
// least windowBits of them, one bits standing in for what is beyond the end.
func window(stream []byte, pos int) uint64 {
	if at := pos >> 3; at+8 <= len(stream) {
		return binary.BigEndian.Uint64(stream[at:]) << (pos & 7)
	}
	return lastWindow(stream, pos)
}

// lastWindow is window for the last eight bytes of stream.
func lastWindow(stream []byte, pos int) uint64 {
	w, shift := ^uint64(0), 56
	for _, c := range stream[min(pos>>3, len(stream)):] {
		w ^= uint64(^c) << shift
		shift -= 8
	}
	return w << (pos & 7)
}

// ones returns the number of one bits in stream from bit position pos on, up to
// the first zero bit or the end.
func ones(stream []byte, pos int) int {
	const step = 32 // bits looked at in one go; fewer than a window has
	start, end := pos, len(stream)*8
	for pos < end {
		run := bits.LeadingZeros64(^window(stream, pos))
		if run < step {
			return pos + run - start
		}
		pos += step
	}
	return max(end-start, 0)
}
