package chain

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/crypto/blake256"
	"github.com/decred/dcrd/wire"
)

// HeaderSize is the number of bytes of a serialized block header.
const HeaderSize = 180

// Offsets of the fields of a serialized header (wire.BlockHeader). All numbers
// are little endian.
const (
	offVersion      = 0
	offPrevBlock    = 4
	offMerkleRoot   = 36
	offStakeRoot    = 68
	offVoteBits     = 100
	offFinalState   = 102
	offVoters       = 108
	offFreshStake   = 110
	offRevocations  = 111
	offPoolSize     = 112
	offBits         = 116
	offSBits        = 120
	offHeight       = 128
	offSize         = 132
	offTimestamp    = 136
	offNonce        = 140
	offExtraData    = 144
	offStakeVersion = 176
)

// Header is a block header exactly as it travels and as it is hashed. The
// methods read the fields in place, so that a message or a file full of headers
// needs no decoding.
type Header [HeaderSize]byte

func (h *Header) uint16(off int) uint16 { return binary.LittleEndian.Uint16(h[off:]) }
func (h *Header) uint32(off int) uint32 { return binary.LittleEndian.Uint32(h[off:]) }
func (h *Header) hash(off int) chainhash.Hash {
	return chainhash.Hash(h[off : off+chainhash.HashSize])
}

// Version is the block version.
func (h *Header) Version() int32 { return int32(h.uint32(offVersion)) }

// PrevBlock is the hash of the parent.
func (h *Header) PrevBlock() chainhash.Hash { return h.hash(offPrevBlock) }

// MerkleRoot commits to the transactions: to both trees since DCP0005, to the
// regular one alone before.
func (h *Header) MerkleRoot() chainhash.Hash { return h.hash(offMerkleRoot) }

// StakeRoot is the commitment root (the hash of the block's filter) since
// DCP0005, and the merkle root of the stake tree before.
func (h *Header) StakeRoot() chainhash.Hash { return h.hash(offStakeRoot) }

// VoteBits is the result of the votes in this block; bit 0 set means that the
// regular transactions of the parent are approved.
func (h *Header) VoteBits() uint16 { return h.uint16(offVoteBits) }

// FinalState is the state of the ticket lottery.
func (h *Header) FinalState() [6]byte { return [6]byte(h[offFinalState : offFinalState+6]) }

// Voters is the number of votes in the block.
func (h *Header) Voters() uint16 { return h.uint16(offVoters) }

// FreshStake is the number of tickets bought in the block.
func (h *Header) FreshStake() uint8 { return h[offFreshStake] }

// Revocations is the number of tickets revoked in the block.
func (h *Header) Revocations() uint8 { return h[offRevocations] }

// PoolSize is the number of live tickets.
func (h *Header) PoolSize() uint32 { return h.uint32(offPoolSize) }

// Bits is the target of the proof of work in compact form.
func (h *Header) Bits() uint32 { return h.uint32(offBits) }

// SBits is the price of a ticket in atoms.
func (h *Header) SBits() int64 { return int64(binary.LittleEndian.Uint64(h[offSBits:])) }

// Height is the block's height; the genesis block has height 0.
func (h *Header) Height() uint32 { return h.uint32(offHeight) }

// Size is the number of bytes of the whole serialized block.
func (h *Header) Size() uint32 { return h.uint32(offSize) }

// Timestamp is the time the miner claims, in Unix seconds.
func (h *Header) Timestamp() uint32 { return h.uint32(offTimestamp) }

// Time is Timestamp as a time.Time.
func (h *Header) Time() time.Time { return time.Unix(int64(h.Timestamp()), 0) }

// Nonce is the miner's nonce. Further nonce bytes are in the extra data.
func (h *Header) Nonce() uint32 { return h.uint32(offNonce) }

// StakeVersion is the version of the votes.
func (h *Header) StakeVersion() uint32 { return h.uint32(offStakeVersion) }

// Hash is the hash of the block: blake256 over the serialized header. It is
// not always the proof of work hash; see Rules.PowHash.
func (h *Header) Hash() chainhash.Hash { return blake256.Sum256(h[:]) }

// ID is the height and the hash of the block.
func (h *Header) ID() BlockID { return BlockID{Height: h.Height(), Hash: h.Hash()} }

// FilterKey is the SipHash key of the block's version 2 filter: the first 16
// bytes of the merkle root (blockcf2.Key).
func (h *Header) FilterKey() [16]byte {
	return [16]byte(h[offMerkleRoot : offMerkleRoot+16])
}

// HeaderFromWire serializes w. Times become whole seconds, as they are on the wire.
func HeaderFromWire(w *wire.BlockHeader) Header {
	var h Header
	le := binary.LittleEndian
	le.PutUint32(h[offVersion:], uint32(w.Version))
	copy(h[offPrevBlock:], w.PrevBlock[:])
	copy(h[offMerkleRoot:], w.MerkleRoot[:])
	copy(h[offStakeRoot:], w.StakeRoot[:])
	le.PutUint16(h[offVoteBits:], w.VoteBits)
	copy(h[offFinalState:], w.FinalState[:])
	le.PutUint16(h[offVoters:], w.Voters)
	h[offFreshStake] = w.FreshStake
	h[offRevocations] = w.Revocations
	le.PutUint32(h[offPoolSize:], w.PoolSize)
	le.PutUint32(h[offBits:], w.Bits)
	le.PutUint64(h[offSBits:], uint64(w.SBits))
	le.PutUint32(h[offHeight:], w.Height)
	le.PutUint32(h[offSize:], w.Size)
	le.PutUint32(h[offTimestamp:], uint32(w.Timestamp.Unix()))
	le.PutUint32(h[offNonce:], w.Nonce)
	copy(h[offExtraData:], w.ExtraData[:])
	le.PutUint32(h[offStakeVersion:], w.StakeVersion)
	return h
}

// Wire decodes the header.
func (h *Header) Wire() wire.BlockHeader {
	return wire.BlockHeader{
		Version:      h.Version(),
		PrevBlock:    h.PrevBlock(),
		MerkleRoot:   h.MerkleRoot(),
		StakeRoot:    h.StakeRoot(),
		VoteBits:     h.VoteBits(),
		FinalState:   h.FinalState(),
		Voters:       h.Voters(),
		FreshStake:   h.FreshStake(),
		Revocations:  h.Revocations(),
		PoolSize:     h.PoolSize(),
		Bits:         h.Bits(),
		SBits:        h.SBits(),
		Height:       h.Height(),
		Size:         h.Size(),
		Timestamp:    h.Time(),
		Nonce:        h.Nonce(),
		ExtraData:    [32]byte(h[offExtraData : offExtraData+32]),
		StakeVersion: h.StakeVersion(),
	}
}

// BlockID names a block. The height is redundant, but makes a lookup cheap.
type BlockID struct {
	Height uint32
	Hash   chainhash.Hash
}

// String is for messages: the height and the hash.
func (id BlockID) String() string { return fmt.Sprintf("%d (%v)", id.Height, id.Hash) }
