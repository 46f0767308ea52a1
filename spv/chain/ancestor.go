package chain

// Ancestor gives the ancestors of a header by height; nil if one is not known.
type Ancestor func(height uint32) *Header

// from is the header at height, which may be prev itself.
func (a Ancestor) from(prev *Header, height uint32) *Header {
	if height == prev.Height() {
		return prev
	}
	return a(height)
}
