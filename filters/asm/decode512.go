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
	TEXT("decodeGroups", NOSPLIT, "func(dst *uint64, groups int, stream *byte, pos int, last, limit uint64, bitmap *uint64, shift uint64) (left, newPos int, newLast uint64)")
	Pragma("noescape")
	Doc("decodeGroups decodes values, eight at a time, to dst and sets the bits",
		"value>>shift of bitmap. groups, one at least, is how many eights are to come;",
		"they start at bit pos of stream and add to last, whose bit is set. It stops",
		"before a group that has a pair of many one bits, and after a value that goes",
		"beyond limit.")
	dst := load("dst")
	groups := load("groups")
	bitmap := load("bitmap")
	r := newBitReader()
	g := newGroupDecoder(bitmap)
	start := AllocLocal(8)
	mark := func() { // where the group starts
		t := GP64()
		MOVQ(r.p, t)
		SHLQ(U8(3), t)
		SUBQ(r.spare, t)
		MOVQ(t, start)
	}

	Label("group")
	mark()
	var windows [4]reg.VecVirtual
	for i := range windows {
		windows[i] = XMM()
		VMOVQ(r.window, windows[i])
		second, held := GP64(), GP64()
		q := skip(r.window, second)
		VPINSRQ(U8(1), second, windows[i], windows[i])
		MOVQ(r.spare, held)
		SUBQ(q, held)
		q = skip(second, r.window)
		SUBQ(q, held)
		JLT(LabelRef("done"))
		r.refill(held)
	}
	g.group(windows, dst, bitmap)
	ADDQ(U8(64), dst)
	DECQ(groups)
	JNZ(LabelRef("group"))
	mark()

	Label("done")
	pos := GP64()
	MOVQ(param("stream"), r.p)
	SHLQ(U8(3), r.p)
	MOVQ(start, pos)
	SUBQ(r.p, pos)
	SUBQ(U8(pairBits), pos)
	Store(groups, ReturnIndex(0))
	Store(pos, ReturnIndex(1))
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
	last          reg.VecVirtual // in all lanes
	words, masks  reg.VecVirtual // the word of last in the bitmap, in all lanes
	shift, limit  reg.VecVirtual
	offsets       reg.VecVirtual // see group
	zero, one, at reg.VecVirtual // at is the number of the last lane
	wordsBuf      Mem
	masksBuf      Mem
}

func newGroupDecoder(bitmap reg.Register) *groupDecoder {
	g := &groupDecoder{
		last: ZMM(), words: ZMM(), masks: ZMM(), shift: ZMM(), limit: ZMM(),
		offsets: ZMM(), zero: ZMM(), one: ZMM(), at: ZMM(),
		wordsBuf: AllocLocal(64), masksBuf: AllocLocal(64),
	}
	constants := GLOBL("decodeConstants", RODATA|NOPTR)
	for i := range 8 {
		DATA(8*i, U64((1<<20-1)*(i+1)))
	}
	DATA(64, U64(1))
	DATA(72, U64(7))
	VMOVDQU64(constants, g.offsets)
	VPBROADCASTQ(constants.Offset(64), g.one)
	VPBROADCASTQ(constants.Offset(72), g.at)
	VPXORQ(g.zero, g.zero, g.zero)
	VPBROADCASTQ(param("shift"), g.shift)
	VPBROADCASTQ(param("limit"), g.limit)
	VPSUBQ(g.one, g.limit, g.limit)
	VPBROADCASTQ(param("last"), g.last)
	word, shift := load("last"), load("shift")
	SHRXQ(shift, word, word)
	SHRQ(U8(6), word)
	VPBROADCASTQ(word, g.words)
	VPBROADCASTQ(Mem{Base: bitmap, Index: word, Scale: 8}, g.masks)
	return g
}

// group decodes the eight values at the heads of windows.
func (g *groupDecoder) group(windows [4]reg.VecVirtual, dst, bitmap reg.Register) {
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

	// Each word of the bitmap is stored, not read: values are sorted, so the last
	// of those in a word knows the bits of the others.
	words, masks := ZMM(), ZMM()
	VPROLVQ(v, g.one, masks)
	VPSRLQ(U8(6), v, words)
	join := func(otherWords, otherMasks reg.VecVirtual) {
		same := K()
		VPCMPEQQ(otherWords, words, same)
		VPORQ(otherMasks, masks, same, masks)
	}
	join(g.words, g.masks)
	for _, n := range []int{1, 2, 4} {
		other := ZMM()
		VALIGNQ(U8(8-n), g.words, words, t)
		VALIGNQ(U8(8-n), g.masks, masks, other)
		join(t, other)
	}
	VPERMQ(words, g.at, g.words)
	VPERMQ(masks, g.at, g.masks)
	VMOVDQU64(words, g.wordsBuf)
	VMOVDQU64(masks, g.masksBuf)
	for i := range 8 {
		word, mask := GP64(), GP64()
		MOVQ(g.wordsBuf.Offset(8*i), word)
		MOVQ(g.masksBuf.Offset(8*i), mask)
		MOVQ(mask, Mem{Base: bitmap, Index: word, Scale: 8})
	}
}
