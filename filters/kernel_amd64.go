package filters

import "golang.org/x/sys/cpu"

//go:generate go -C asm run . -out ../asm_amd64.s -stubs ../asm_amd64.go -pkg filters

// kernels lists what this processor has, the fastest last.
func kernels() []kernel {
	has := &cpu.X86
	// There is no flag for LZCNT; where it is missing it computes another thing.
	if !has.HasAVX2 || !has.HasBMI1 || !has.HasBMI2 || leadingZeros(1) != 63 {
		return []kernel{generic}
	}
	if !has.HasAVX512F {
		return []kernel{generic, avx2}
	}
	return []kernel{generic, avx2, avx512}
}

func (k kernel) decodePairs(d *decoded, dst []uint64, pos int, last uint64) (done, newPos int, newLast uint64) {
	if k == generic {
		return d.decodePairs(dst, pos, last)
	}
	if k == avx512 && len(dst) >= lanes {
		var left int
		groups := len(dst) / lanes
		left, pos, last = decodeGroups(&dst[0], groups, &d.stream[0], pos, last, d.modulus, &d.marks[0], d.mark, d.shift)
		if left < groups {
			return (groups - left) * lanes, pos, last
		}
	}
	return decodePairs(&dst[0], len(dst), &d.stream[0], pos, last, d.modulus, &d.marks[0], d.mark, d.shift)
}

func (k kernel) search(d *decoded, g *group, from int, s *sipState, values *[maxStep]uint64) (next int, hits uint64) {
	// The assembly scales by a modulus of 32 bits: filters of up to 5471 values,
	// more than nearly any block's.
	if k == generic || d.modulus >= 1<<32 {
		return d.search(g, from, s, values)
	}
	data := &g.data[from*g.words*lanes]
	left := 0
	if k == avx512 {
		left, hits = searchAVX512(data, g.blocks-from, g.words, (*[4]uint64)(s), d.modulus, d.shift, &d.marks[0], d.mark, values)
	} else {
		left, hits = searchAVX2(data, g.blocks-from, g.words, (*[4]uint64)(s), d.modulus, d.shift, &d.marks[0], d.mark, values)
	}
	return g.blocks - left, hits
}
