package filters

// kernel is one way to run the two costly loops: decoding values and hashing scripts. All give the same answers.
type kernel uint8

const (
	generic kernel = iota // plain Go
	avx2                  // four scripts to a vector
	avx512                // eight
)

func (k kernel) String() string { return [...]string{"go", "avx2", "avx512"}[k] }

// bestKernel is the fastest that this processor has.
func bestKernel() kernel {
	all := kernels()
	return all[len(all)-1]
}
