package chain

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
