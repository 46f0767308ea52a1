// Command asm writes the assembly of package filters:
//
//	go run . -out ../asm_amd64.s -stubs ../asm_amd64.go -pkg filters
//
// It is a module of its own, so that those who build dcrspv need not have the
// assembler.
package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func main() {
	ConstraintExpr("amd64")
	search(avx512{})
	search(newAVX2())
	decodePairs()
	decodeGroups()
	leadingZeros()
	Generate()
}

// param is where the caller has put a parameter.
func param(name string) Mem {
	b, err := Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	return b.Addr
}

// leadingZeros tells processors with LZCNT from those that take it for BSR.
func leadingZeros() {
	TEXT("leadingZeros", NOSPLIT, "func(x uint64) uint64")
	Doc("leadingZeros is LZCNT.")
	x := load("x")
	LZCNTQ(x, x)
	Store(x, ReturnIndex(0))
	RET()
}

// load is a register with a parameter in it.
func load(name string) reg.GPVirtual {
	r := GP64()
	MOVQ(param(name), r)
	return r
}

func load8(name string) reg.GPVirtual {
	r := GP8()
	MOVB(param(name), r)
	return r
}
