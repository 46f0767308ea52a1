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
	// pos is where the window begins, in bits of the address space, and 63 more:
	// an eighth of it is the byte after the window's whole bytes.
	pos          reg.GPVirtual
	window, next reg.GPVirtual
	spare        reg.GPVirtual // bits in the window beyond two values' remainders
}

const (
	pairBits = 2 * 20 // of two values of quotient 0
	posBias  = 63
)

func newBitReader() bitReader {
	r := bitReader{pos: load("stream"), window: GP64(), next: GP64(), spare: GP64()}
	pos := load("pos")
	SHLQ(U8(3), r.pos)
	ADDQ(pos, r.pos)
	start, held := GP64(), GP64()
	MOVQ(r.pos, start)
	SHRQ(U8(3), start)
	load64(Mem{Base: start}, r.window)
	load64(Mem{Base: start, Disp: 7}, r.next)
	// Seven bytes of the first load, less the bits before pos.
	ANDQ(U8(7), pos)
	SHRQ(U8(8), r.window)
	SHLQ(U8(8), r.window)
	SHLXQ(pos, r.window, r.window)
	MOVQ(U32(56), held)
	SUBQ(pos, held)
	ADDQ(U8(posBias), r.pos)
	r.refill(held, r.pos)
	return r
}

func load64(m Mem, dst reg.GPVirtual) {
	MOVQ(m, dst)
	BSWAPQ(dst)
	NOTQ(dst)
}

// behind is where the window begins when two values are taken.
func (r bitReader) behind(q1, q2 reg.GPVirtual) reg.GPVirtual {
	pos := GP64()
	LEAQ(Mem{Base: r.pos, Index: q1, Scale: 1, Disp: pairBits}, pos)
	ADDQ(q2, pos)
	return pos
}

// refill fills up a window that begins at pos and holds so many bits.
func (r bitReader) refill(held, pos reg.GPVirtual) {
	t := GP64()
	MOVQ(pos, r.pos)
	SHRXQ(held, r.next, t)
	ORQ(t, r.window)
	MOVQ(r.pos, t)
	SHRQ(U8(3), t)
	load64(Mem{Base: t}, r.next)
	ORQ(U8(56), held)
	LEAQ(Mem{Base: held, Disp: -pairBits}, r.spare)
}

// storePos returns a place in bits as the caller counts them.
func storePos(pos reg.GPVirtual, i int) {
	stream := load("stream")
	SHLQ(U8(3), stream)
	SUBQ(stream, pos)
	SUBQ(U8(posBias), pos)
	Store(pos, ReturnIndex(i))
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
	TEXT("decodePairs", NOSPLIT, "func(dst *uint64, n int, stream *byte, pos int, last, limit uint64, marks *byte, mark byte, shift uint64) (done, newPos int, newLast uint64)")
	Pragma("noescape")
	Doc("decodePairs decodes values, two at a time, to dst and sets marks[value>>shift] to",
		"mark. n, two at least, is how many are to come; they start at bit pos of",
		"stream and add to last. It stops before a pair that has many one bits or goes",
		"beyond limit.")
	dst := load("dst")
	end := AllocLocal(8) // the last place for a pair, kept in memory: registers are short
	n := load("n")
	LEAQ(Mem{Base: dst, Index: n, Scale: 8, Disp: -8}, n)
	MOVQ(n, end)
	r := newBitReader()
	last := load("last")
	marks := load("marks")
	mark := load8("mark")
	shift := load("shift")

	Label("pair")
	second, held := GP64(), GP64()
	q1, v1 := value(r.window, second)
	MOVQ(r.spare, held)
	SUBQ(q1, held)
	q2, v2 := value(second, r.window)
	SUBQ(q2, held)
	JLT(LabelRef("done"))
	pos := r.behind(q1, q2)
	add(last, q1, v1)
	add(v1, q2, v2)
	CMPQ(v2, param("limit"))
	JAE(LabelRef("done"))
	r.refill(held, pos)
	MOVQ(v1, Mem{Base: dst})
	MOVQ(v2, Mem{Base: dst, Disp: 8})
	MOVQ(v2, last)
	for _, v := range []reg.GPVirtual{v1, v2} {
		SHRXQ(shift, v, v)
		MOVB(mark, Mem{Base: marks, Index: v, Scale: 1})
	}
	ADDQ(U8(16), dst)
	CMPQ(dst, end)
	JB(LabelRef("pair"))

	Label("done")
	SUBQ(param("dst"), dst)
	SHRQ(U8(3), dst)
	Store(dst, ReturnIndex(0))
	storePos(r.pos, 1)
	Store(last, ReturnIndex(2))
	RET()
}
