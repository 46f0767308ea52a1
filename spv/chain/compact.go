package chain

import "github.com/decred/dcrd/math/uint256"

// The compact form of a 256-bit number: one byte of length in bytes, three of
// mantissa whose top bit is a sign. Numbers that matter here are positive.

// expand is the number that bits stands for; !ok if that is not positive or has
// more than 256 bits (standalone.CompactToBig).
func expand(bits uint32) (n uint256.Uint256, ok bool) {
	const sign, mask = 0x00800000, 0x007fffff
	mantissa, length := bits&mask, bits>>24
	if length < 3 {
		mantissa >>= 8 * (3 - length)
		length = 3
	}
	if bits&sign != 0 || mantissa == 0 {
		return n, false
	}
	shift := 8 * (length - 3)
	n.SetUint64(uint64(mantissa))
	if uint32(n.BitLen())+shift > 256 {
		return n, false
	}
	n.Lsh(shift)
	return n, true
}

// compact is the compact form of n, cut to the mantissa's 23 bits
// (standalone.BigToCompact).
func compact(n *uint256.Uint256) uint32 {
	length := uint32(n.BitLen()+7) / 8
	var mantissa uint32
	if length <= 3 {
		mantissa = n.Uint32() << (8 * (3 - length))
	} else {
		var top uint256.Uint256
		mantissa = top.RshVal(n, 8*(length-3)).Uint32()
	}
	if mantissa&0x00800000 != 0 {
		mantissa >>= 8
		length++
	}
	return length<<24 | mantissa
}
