package spvtest

import (
	"encoding/binary"

	"dcrspv/spv/chain"
)

// Offsets of header fields that lies are told with.
const (
	offPrevBlock = 4
	offVoters    = 108
	offBits      = 116
	offSBits     = 120
	offHeight    = 128
	offTimestamp = 136
	offNonce     = 140
)

// spoilHeaders puts the fault of the behaviour into an answer: into its last
// header, or into that of BadHeaderAt, where the answer then ends. All but the
// lies about work have the work that their bits ask for.
func (b *Behaviour) spoilHeaders(r *chain.Rules, headers []chain.Header) []chain.Header {
	if at := b.BadHeaderAt; at != 0 {
		first, last := headers[0].Height(), headers[len(headers)-1].Height()
		if at < first || at > last {
			return headers
		}
		headers = headers[:at-first+1]
	}
	h := &headers[len(headers)-1]
	le := binary.LittleEndian
	switch b.BadHeaders {
	case HeadersBadPoW:
		spoilWork(r, h, false)
		return headers
	case HeadersOldPoW:
		spoilWork(r, h, true)
		return headers
	case HeadersWrongBits:
		// A smaller mantissa: three quarters of simnet's easiest target.
		le.PutUint32(h[offBits:], h.Bits()&^0x1fffff)
	case HeadersWrongPrice:
		le.PutUint64(h[offSBits:], uint64(h.SBits()+1))
	case HeadersWrongVotes:
		voters := uint16(1)
		if int64(h.Height()) >= r.Params().StakeValidationHeight {
			voters = r.Params().TicketsPerBlock / 2
		}
		le.PutUint16(h[offVoters:], voters)
	case HeadersFuture:
		le.PutUint32(h[offTimestamp:], h.Timestamp()+24*60*60)
	case HeadersPast:
		genesis, _ := r.Genesis()
		le.PutUint32(h[offTimestamp:], genesis.Timestamp())
	case HeadersWrongLink:
		h[offPrevBlock] ^= 1
	case HeadersWrongHeight:
		le.PutUint32(h[offHeight:], h.Height()+1)
	default:
		return headers
	}
	remine(r, h)
	return headers
}

// spoilWork looks for a nonce without enough work, and, for the old kind, with
// enough by the hash function that blake3 replaced, which is that of the block
// hash.
func spoilWork(r *chain.Rules, h *chain.Header, old bool) {
	var t target
	t.set(h.Bits())
	for t.met(r.PowHash(h)) || old && !t.met(h.Hash()) {
		binary.LittleEndian.PutUint32(h[offNonce:], h.Nonce()+1)
	}
}
