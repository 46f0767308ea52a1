package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// wordBytes is the distance between two words of a script: a block holds the
// first words of its eight scripts, then their second words, and so on.
const wordBytes = 64

// keyed is the state that all scripts of a filter start from, as far as it goes
// before the first word of a script changes anything.
type keyed struct {
	v2, v3 Op
	// v0 and v1 after the half of the first round that no message reaches, and
	// v1 one rotate further.
	v0, v1, v1Rotated Op
	ff                Op // of SipHash's finalization
}

func loadKeyed(k isa) keyed {
	state := load("state")
	word := func(i int) reg.VecVirtual {
		v := k.vec()
		VPBROADCASTQ(Mem{Base: state, Disp: 8 * i}, v)
		return v
	}
	half := func() (v0, v1 reg.VecVirtual) {
		v0, v1 = word(0), word(1)
		VPADDQ(v1, v0, v0)
		k.rotate(13, v1)
		k.xor(v0, v1, v1)
		k.rotate(32, v0)
		return v0, v1
	}
	v0, v1 := half()
	_, rotated := half()
	k.rotate(17, rotated)
	ff := k.vec()
	finalization := GLOBL("finalization"+k.name(), RODATA|NOPTR)
	DATA(0, U64(0xff))
	VPBROADCASTQ(finalization, ff)
	return keyed{
		v0: k.constant(v0), v1: k.constant(v1), v1Rotated: k.constant(rotated),
		v2: k.constant(word(2)), v3: k.constant(word(3)), ff: k.constant(ff),
	}
}

// state is SipHash's, one script to a lane.
type state struct{ v0, v1, v2, v3 reg.VecVirtual }

// round is a SipRound but for its last step, v3 ^= v0, which the caller may
// merge with what comes next.
func round(k isa, s state) {
	halfRound(k, s)
	k.rotate(32, s.v0)
	VPADDQ(s.v1, s.v2, s.v2)
	VPADDQ(s.v3, s.v0, s.v0)
	k.rotate(17, s.v1)
	k.rotate(21, s.v3)
	k.xor(s.v2, s.v1, s.v1)
	k.rotate(32, s.v2)
}

func halfRound(k isa, s state) {
	VPADDQ(s.v1, s.v0, s.v0)
	VPADDQ(s.v3, s.v2, s.v2)
	k.rotate(13, s.v1)
	k.rotate(16, s.v3)
	k.xor(s.v0, s.v1, s.v1)
	k.xor(s.v2, s.v3, s.v3)
}

// firstRound starts from the key and takes the first word of the scripts at m.
func firstRound(k isa, c keyed, m Mem) state {
	s := state{k.vec(), k.vec(), k.vec(), k.vec()}
	k.load(m, s.v3)
	k.xor(c.v3, s.v3, s.v3)
	VPADDQ(c.v2, s.v3, s.v2)
	k.rotate(16, s.v3)
	k.xor(s.v2, s.v3, s.v3)
	VPADDQ(c.v1, s.v2, s.v2)
	VPADDQ(c.v0, s.v3, s.v0)
	k.rotate(21, s.v3)
	k.xor(c.v1Rotated, s.v2, s.v1)
	k.rotate(32, s.v2)
	k.xor(s.v0, s.v3, s.v3)
	return s
}

// lastRound leaves the hash, which is v0^v1^v2^v3 after a round, in v1. v0 is
// both in it and in v3, so it drops out before it is finished.
func lastRound(k isa, s state) {
	halfRound(k, s)
	VPADDQ(s.v1, s.v2, s.v2)
	k.rotate(17, s.v1)
	k.rotate(21, s.v3)
	k.xor3(s.v2, s.v3, s.v1)
	k.rotate(32, s.v2)
	k.xor(s.v2, s.v1, s.v1)
}

// hash hashes the blocks that start at data; at is where in it a stream starts.
// The streams are interleaved: a round is a chain of dependent operations that
// alone leaves the processor waiting.
func hash(k isa, c keyed, data, words reg.Register, at []Mem, label func(string) string) []state {
	p := GP64()
	MOVQ(data, p)
	src := func(i, disp int) Mem {
		m := at[i]
		m.Base = p
		return m.Offset(disp)
	}
	var streams []state
	for i := range at {
		streams = append(streams, firstRound(k, c, src(i, 0)))
	}
	each := func(do func(s state, i int)) {
		for i, s := range streams {
			do(s, i)
		}
	}
	half := func(s state, _ int) { round(k, s) }
	end := func(s state, _ int) { k.xor(s.v0, s.v3, s.v3) }

	each(half)
	left := GP64()
	MOVQ(words, left)
	Label(label("word"))
	DECQ(left)
	JZ(LabelRef(label("last")))
	each(func(s state, i int) {
		// The end of a round, the end of a word and the begin of the next.
		k.xor3(src(i, wordBytes), s.v0, s.v3)
		k.xor(src(i, 0), s.v0, s.v0)
	})
	ADDQ(U8(wordBytes), p)
	each(half)
	each(end)
	each(half)
	JMP(LabelRef(label("word")))

	Label(label("last"))
	each(end)
	each(func(s state, i int) {
		k.xor(src(i, 0), s.v0, s.v0)
		k.xor(c.ff, s.v2, s.v2)
	})
	for range 3 {
		each(half)
		each(end)
	}
	each(func(s state, _ int) { lastRound(k, s) })
	return streams
}
