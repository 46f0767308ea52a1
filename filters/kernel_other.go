//go:build !amd64

package filters

// kernels lists what this processor has, the fastest last.
func kernels() []kernel { return []kernel{generic} }

func (kernel) decodePairs(d *decoded, dst []uint64, pos int, last uint64) (done, newPos int, newLast uint64) {
	return d.decodePairs(dst, pos, last)
}

func (kernel) search(d *decoded, g *group, from int, s *sipState, values *[maxStep]uint64) (next int, hits uint64) {
	return d.search(g, from, s, values)
}
