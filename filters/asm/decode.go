package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// bitReader is a window of the bit stream in registers, inverted, so that a
// quotient's one bits are leading zeros. It holds two values at least, unless
// their quotients are large. The next eight bytes are loaded one refill ahead.
type bitReader struct {
	p            reg.GPVirtual // the byte after the window's whole bytes
	window, next reg.GPVirtual
	spare        reg.GPVirtual // bits in the window beyond two values' remainders
}

const pairBits = 2 * 20 // of two values of quotient 0

func newBitReader() bitReader {
	r := bitReader{p: load("stream"), window: GP64(), next: GP64(), spare: GP64()}
	pos := load("pos")
	start, held := GP64(), GP64()
	MOVQ(pos, start)
	SHRQ(U8(3), start)
	ADDQ(start, r.p)
	r.load(r.window)
	// Seven bytes of the first load, less the bits before pos.
	ANDQ(U8(7), pos)
	SHRQ(U8(8), r.window)
	SHLQ(U8(8), r.window)
	SHLXQ(pos, r.window, r.window)
	MOVQ(U32(56), held)
	SUBQ(pos, held)
	ADDQ(U8(7), r.p)
	r.load(r.next)
	r.refill(held)
	return r
}

func (r bitReader) load(dst reg.GPVirtual) {
	MOVQ(Mem{Base: r.p}, dst)
	BSWAPQ(dst)
	NOTQ(dst)
}

// refill fills up a window that holds so many bits.
func (r bitReader) refill(held reg.GPVirtual) {
	t := GP64()
	SHRXQ(held, r.next, t)
	ORQ(t, r.window)
	MOVQ(held, t)
	XORQ(U8(63), t)
	SHRQ(U8(3), t)
	ADDQ(t, r.p)
	ORQ(U8(56), held)
	r.load(r.next)
	LEAQ(Mem{Base: held, Disp: -pairBits}, r.spare)
}

// value takes the bits of one value off window, which is lost, and leaves its
// quotient, the window from its stop bit on, and the window after it in rest.
func value(window, rest reg.GPVirtual) (quotient, stop reg.GPVirtual) {
	quotient, stop = GP64(), GP64()
	LZCNTQ(window, quotient)
	SHLXQ(quotient, window, stop)
	SHLQ(U8(20), window) // need not wait for the quotient
	SHLXQ(quotient, window, rest)
	return quotient, stop
}

// add leaves last plus a difference in stop. The remainder is inverted, below
// the stop bit: 2^20-1 less the remainder is what the twenty bits say.
func add(last, quotient, stop reg.GPVirtual) {
	SHRQ(U8(44), stop)
	SHLQ(U8(19), quotient)
	SUBQ(stop, quotient)
	LEAQ(Mem{Base: last, Index: quotient, Scale: 1, Disp: 1<<20 - 1}, stop)
}

func decodePairs() {
	TEXT("decodePairs", NOSPLIT, "func(dst *uint64, n int, stream *byte, pos int, last, limit uint64, bitmap *uint64, shift uint64) (done, newPos int, newLast uint64)")
	Pragma("noescape")
	Doc("decodePairs decodes values, two at a time, to dst and sets the bits value>>shift",
		"of bitmap. n, two at least, is how many are to come; they start at bit pos of",
		"stream and add to last. It stops before a pair that has many one bits or goes",
		"beyond limit.")
	dst := load("dst")
	end := AllocLocal(8) // the last place for a pair, kept in memory: registers are short
	n := load("n")
	LEAQ(Mem{Base: dst, Index: n, Scale: 8, Disp: -8}, n)
	MOVQ(n, end)
	r := newBitReader()
	last := load("last")
	bitmap := load("bitmap")
	shift := load("shift")

	Label("pair")
	second, held := GP64(), GP64()
	q1, v1 := value(r.window, second)
	MOVQ(r.spare, held)
	SUBQ(q1, held)
	q2, v2 := value(second, r.window)
	SUBQ(q2, held)
	JLT(LabelRef("done"))
	add(last, q1, v1)
	add(v1, q2, v2)
	CMPQ(v2, param("limit"))
	JAE(LabelRef("done"))
	r.refill(held)
	MOVQ(v1, Mem{Base: dst})
	MOVQ(v2, Mem{Base: dst, Disp: 8})
	MOVQ(v2, last)
	for _, v := range []reg.GPVirtual{v1, v2} {
		word, bits := GP64(), GP64()
		SHRXQ(shift, v, v)
		MOVQ(v, word)
		SHRQ(U8(6), word)
		MOVQ(Mem{Base: bitmap, Index: word, Scale: 8}, bits)
		BTSQ(v, bits)
		MOVQ(bits, Mem{Base: bitmap, Index: word, Scale: 8})
	}
	ADDQ(U8(16), dst)
	CMPQ(dst, end)
	JB(LabelRef("pair"))

	Label("done")
	SUBQ(param("dst"), dst)
	SHRQ(U8(3), dst)
	SUBQ(param("stream"), r.p)
	SHLQ(U8(3), r.p)
	SUBQ(r.spare, r.p)
	SUBQ(U8(pairBits), r.p)
	Store(dst, ReturnIndex(0))
	Store(r.p, ReturnIndex(1))
	Store(last, ReturnIndex(2))
	RET()
}
