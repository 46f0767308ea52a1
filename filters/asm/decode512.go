package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// decodeGroups is decodePairs with the arithmetic of eight values in vectors:
// only finding where a value starts, which has to wait for the value before, is
// left to the general registers.
func decodeGroups() {
	TEXT("decodeGroups", NOSPLIT, "func(dst *uint64, groups int, stream *byte, pos int, last, limit uint64, marks *byte, mark byte, shift uint64) (left, newPos int, newLast uint64)")
	Pragma("noescape")
	Doc("decodeGroups decodes values, eight at a time, to dst and sets",
		"marks[value>>shift] to mark. groups, one at least, is how many eights are to come;",
		"they start at bit pos of stream and add to last. It stops",
		"before a group that has a pair of many one bits, and after a value that goes",
		"beyond limit.")
	dst := load("dst")
	groups := load("groups")
	marks := load("marks")
	mark := load8("mark")
	r := newBitReader()
	g := newGroupDecoder()
	start := AllocLocal(8)
	Label("group")
	MOVQ(r.pos, start)
	var windows [4]reg.VecVirtual
	for i := range windows {
		windows[i] = XMM()
		VMOVQ(r.window, windows[i])
		second, held := GP64(), GP64()
		q1 := skip(r.window, second)
		VPINSRQ(U8(1), second, windows[i], windows[i])
		MOVQ(r.spare, held)
		SUBQ(q1, held)
		q2 := skip(second, r.window)
		SUBQ(q2, held)
		JLT(LabelRef("done"))
		r.refill(held, r.behind(q1, q2))
	}
	g.group(windows, dst, marks, mark)
	ADDQ(U8(64), dst)
	DECQ(groups)
	JNZ(LabelRef("group"))
	MOVQ(r.pos, start)

	Label("done")
	pos := GP64()
	MOVQ(start, pos)
	Store(groups, ReturnIndex(0))
	storePos(pos, 1)
	VMOVQ(g.last.AsX(), pos)
	Store(pos, ReturnIndex(2))
	VZEROUPPER()
	RET()
}

// skip takes the bits of one value off window, which is lost. It returns the
// quotient.
func skip(window, rest reg.GPVirtual) reg.GPVirtual {
	q := GP64()
	LZCNTQ(window, q)
	SHLQ(U8(20), window)
	SHLXQ(q, window, rest)
	return q
}

type groupDecoder struct {
	last         reg.VecVirtual // in all lanes
	shift, limit reg.VecVirtual
	offsets      reg.VecVirtual // see group
	zero, at     reg.VecVirtual // at is the number of the last lane
	places       Mem
}

func newGroupDecoder() *groupDecoder {
	g := &groupDecoder{
		last: ZMM(), shift: ZMM(), limit: ZMM(), offsets: ZMM(), zero: ZMM(), at: ZMM(),
		places: AllocLocal(64),
	}
	constants := GLOBL("decodeConstants", RODATA|NOPTR)
	for i := range 8 {
		DATA(8*i, U64((1<<20-1)*(i+1)))
	}
	DATA(64, U64(1))
	DATA(72, U64(7))
	VMOVDQU64(constants, g.offsets)
	VPBROADCASTQ(constants.Offset(72), g.at)
	VPXORQ(g.zero, g.zero, g.zero)
	VPBROADCASTQ(param("shift"), g.shift)
	one := ZMM()
	VPBROADCASTQ(constants.Offset(64), one)
	VPBROADCASTQ(param("limit"), g.limit)
	VPSUBQ(one, g.limit, g.limit)
	VPBROADCASTQ(param("last"), g.last)
	return g
}

// group decodes the eight values at the heads of windows.
func (g *groupDecoder) group(windows [4]reg.VecVirtual, dst, marks, mark reg.Register) {
	w, q, v, t := ZMM(), ZMM(), ZMM(), ZMM()
	VINSERTI128(U8(1), windows[1], windows[0].AsY(), windows[0].AsY())
	VINSERTI128(U8(1), windows[3], windows[2].AsY(), windows[2].AsY())
	VINSERTI64X4(U8(1), windows[2].AsY(), windows[0].AsZ(), w)
	// A difference is quotient<<19 + 2^20-1 - (stop bit and inverted remainder).
	VPLZCNTQ(w, q)
	VPSLLVQ(q, w, w)
	VPSLLQ(U8(19), q, v)
	VPSRLQ(U8(44), w, w)
	VPSUBQ(w, v, v)
	for _, n := range []int{1, 2, 4} { // sums of all lanes up to one's own
		VALIGNQ(U8(8-n), g.zero, v, t)
		VPADDQ(t, v, v)
	}
	VPADDQ(g.offsets, v, v) // as many times 2^20-1
	VPADDQ(g.last, v, v)
	VPERMQ(v, g.at, g.last)
	VMOVDQU64(v, Mem{Base: dst})
	VPMINUQ(g.limit, v, v)
	VPSRLVQ(g.shift, v, v)
	VMOVDQU64(v, g.places)
	for i := range 8 {
		place := GP64()
		MOVQ(g.places.Offset(8*i), place)
		MOVB(mark, Mem{Base: marks, Index: place, Scale: 1})
	}
}
