package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// search writes the function that hashes the scripts of a group and looks them
// up among the marks.
func search(k isa) {
	TEXT("search"+k.name(), NOSPLIT, "func(data *uint64, blocks, words int, state *[4]uint64, modulus, shift uint64, marks *byte, mark byte, values *[16]uint64) (left int, hits uint64)")
	Pragma("noescape")
	Doc(fmt.Sprintf("search%s hashes blocks of eight scripts by SipHash-2-4, scales the", k.name()),
		"hashes to values below modulus, which has 32 bits at most, and looks at",
		"marks[value>>shift], none of which is above mark.",
		"It stops after the first step (a block, or two) in which one is mark: then",
		"bit i of hits stands for values[i]. left blocks are to be done yet.")
	data := load("data")
	blocks := load("blocks")
	words := load("words")
	marks := load("marks")
	below := load8("mark")
	DECB(below)
	values := load("values")
	c := loadKeyed(k)
	modulus, shift := k.vec(), k.vec()
	VPBROADCASTQ(param("modulus"), modulus)
	VPBROADCASTQ(param("shift"), shift)
	scaling := [2]Op{k.constant(modulus), k.constant(shift)}
	size, hits := GP64(), GP64()
	MOVQ(words, size)
	SHLQ(U8(6), size) // of a block
	XORQ(hits, hits)

	for step := k.streams() / k.perBlock(); step >= 1; step-- {
		label := func(s string) string { return fmt.Sprintf("%s%d", s, step) }
		Label(label("step"))
		CMPQ(blocks, U8(step))
		JLT(LabelRef(label("end")))
		var at []Mem
		for i := range step {
			for j := range k.perBlock() {
				m := Mem{Disp: wordBytes / k.perBlock() * j}
				if i > 0 {
					m.Index, m.Scale = size, 1
				}
				at = append(at, m)
			}
		}
		streams := hash(k, c, data, words, at, label)
		lookUp(k, streams, scaling, marks, below, values, hits)
		for range step {
			ADDQ(size, data)
		}
		SUBQ(U8(step), blocks)
		TESTQ(hits, hits)
		JZ(LabelRef(label("step")))
		JMP(LabelRef("done"))
		Label(label("end"))
	}
	Label("done")
	Store(blocks, ReturnIndex(0))
	Store(hits, ReturnIndex(1))
	VZEROUPPER()
	RET()
}

// lookUp scales the hashes and looks at their marks: the processor does that, which
// takes no vectors, while it hashes the next step's scripts.
func lookUp(k isa, streams []state, scaling [2]Op, marks, below, values, hits reg.Register) {
	const vectors = 128 // bytes of the largest step
	places := AllocLocal(vectors)
	bytes := wordBytes / k.perBlock()
	for i, s := range streams {
		// The high half of hash * modulus, in pieces of 32 bits.
		VPMULUDQ(scaling[0], s.v1, s.v0)
		VPSRLQ(U8(32), s.v1, s.v1)
		VPMULUDQ(scaling[0], s.v1, s.v1)
		VPSRLQ(U8(32), s.v0, s.v0)
		VPADDQ(s.v0, s.v1, s.v1)
		VPSRLQ(U8(32), s.v1, s.v1)
		k.store(s.v1, Mem{Base: values, Disp: bytes * i})
		VPSRLVQ(scaling[1], s.v1, s.v0)
		k.store(s.v0, places.Offset(bytes*i))
	}
	for i := len(streams)*bytes/8 - 1; i >= 0; i-- {
		place := GP64()
		MOVQ(places.Offset(8*i), place)
		CMPB(below, Mem{Base: marks, Index: place, Scale: 1}) // carries if that is above
		ADCQ(hits, hits)
	}
}
