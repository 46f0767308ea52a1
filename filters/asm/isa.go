package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// isa is what the two instruction sets do in their own ways.
type isa interface {
	name() string
	streams() int // vectors worked on side by side, at most
	perBlock() int
	vec() reg.VecVirtual
	// constant keeps a vector for the whole function.
	constant(v reg.VecVirtual) Op
	load(m Mem, v reg.VecVirtual)
	store(v reg.VecVirtual, m Mem)
	xor(a Op, b, dst reg.VecVirtual)
	xor3(a Op, b, dst reg.VecVirtual) // dst ^= a ^ b
	rotate(n int, v reg.VecVirtual)
}

// avx512 has 32 registers of eight lanes, rotates and an exclusive or of three.
// A vector is one word of all the scripts of a block.
type avx512 struct{}

func (avx512) name() string                     { return "AVX512" }
func (avx512) streams() int                     { return 2 }
func (avx512) perBlock() int                    { return 1 }
func (avx512) vec() reg.VecVirtual              { return ZMM() }
func (avx512) constant(v reg.VecVirtual) Op     { return v }
func (avx512) load(m Mem, v reg.VecVirtual)     { VMOVDQU64(m, v) }
func (avx512) store(v reg.VecVirtual, m Mem)    { VMOVDQU64(v, m) }
func (avx512) xor(a Op, b, dst reg.VecVirtual)  { VPXORQ(a, b, dst) }
func (avx512) xor3(a Op, b, dst reg.VecVirtual) { VPTERNLOGQ(U8(0x96), a, b, dst) }
func (avx512) rotate(n int, v reg.VecVirtual)   { VPROLQ(U8(n), v, v) }

// avx2 has 16 registers of four lanes: constants are kept in memory. Rotates are
// made of shuffles or shifts. A vector is one word of half a block.
type avx2 struct{ by16 Mem }

func newAVX2() avx2 {
	by16 := GLOBL("rotate16", RODATA|NOPTR)
	for i := range 32 {
		DATA(i, U8(i&^7|(i+6)&7))
	}
	return avx2{by16}
}

func (avx2) name() string        { return "AVX2" }
func (avx2) streams() int        { return 2 }
func (avx2) perBlock() int       { return 2 }
func (avx2) vec() reg.VecVirtual { return YMM() }
func (avx2) constant(v reg.VecVirtual) Op {
	m := AllocLocal(32)
	VMOVDQU(v, m)
	return m
}
func (avx2) load(m Mem, v reg.VecVirtual)    { VMOVDQU(m, v) }
func (avx2) store(v reg.VecVirtual, m Mem)   { VMOVDQU(v, m) }
func (avx2) xor(a Op, b, dst reg.VecVirtual) { VPXOR(a, b, dst) }
func (avx2) xor3(a Op, b, dst reg.VecVirtual) {
	VPXOR(b, dst, dst)
	VPXOR(a, dst, dst)
}

func (x avx2) rotate(n int, v reg.VecVirtual) {
	switch n {
	case 32:
		VPSHUFD(U8(0xb1), v, v)
	case 16:
		VPSHUFB(x.by16, v, v)
	default:
		t := YMM()
		VPSRLQ(U8(64-n), v, t)
		VPSLLQ(U8(n), v, v)
		VPOR(t, v, v)
	}
}
