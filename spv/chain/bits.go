package chain

// Ancestor gives the headers of the branch that is being looked at, by height,
// below the header in question. It gives nil if it does not know the header.
type Ancestor func(height uint32) *Header

// from is the header at height, which may be prev itself.
func (a Ancestor) from(prev *Header, height uint32) *Header {
	if height == prev.Height() {
		return prev
	}
	return a(height)
}

// NextBits is the target, in compact form, that the block after prev must have.
// timestamp is the time of that block in Unix seconds; it matters on testnet3
// alone. The result is 0, which no block may have, if an ancestor that it
// depends on is not known.
func (r *Rules) NextBits(prev *Header, timestamp uint32, anc Ancestor) uint32 {
	if r.Blake3At(prev.Height() + 1) {
		return r.asertBits(prev, anc)
	}
	return r.emaBits(prev, timestamp, anc)
}
