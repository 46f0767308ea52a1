package peer

import (
	"bytes"
	"encoding/binary"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/wire"
)

// parseFilters decodes the payload of a cfiltersv2 message. It takes exactly what the wire
// package takes, which makes memory for each filter and reads each number from a stream;
// a whole chain passes through here. The filters share one copy of the payload.
func parseFilters(payload []byte) (*wire.MsgCFiltersV2, error) {
	f := &fields{rest: bytes.Clone(payload)}
	msg := &wire.MsgCFiltersV2{CFilters: make([]wire.MsgCFilterV2, f.varInt(wire.MaxCFiltersV2PerBatch))}
	for i := range msg.CFilters {
		filter := &msg.CFilters[i]
		filter.BlockHash = f.hash()
		filter.Data = f.take(f.varInt(wire.MaxCFilterDataSize))
		filter.ProofIndex = uint32(f.number(4))
		filter.ProofHashes = make([]chainhash.Hash, f.varInt(wire.MaxHeaderProofHashes))
		for k := range filter.ProofHashes {
			filter.ProofHashes[k] = f.hash()
		}
	}
	if f.failed || len(f.rest) > 0 {
		return nil, protocolError("cfiltersv2 message of %d bytes is malformed", len(payload))
	}
	return msg, nil
}

// fields are taken from a payload one after the other. Once one has failed, all that
// follow are zero.
type fields struct {
	rest   []byte
	failed bool
}

func (f *fields) fail() { f.rest, f.failed = nil, true }

// take takes n bytes, in place.
func (f *fields) take(n int) []byte {
	if n > len(f.rest) {
		f.fail()
		return nil
	}
	field := f.rest[:n:n]
	f.rest = f.rest[n:]
	return field
}

func (f *fields) hash() (hash chainhash.Hash) {
	copy(hash[:], f.take(len(hash)))
	return hash
}

// number takes a number of up to eight bytes.
func (f *fields) number(size int) uint64 {
	var raw [8]byte
	copy(raw[:], f.take(size))
	return binary.LittleEndian.Uint64(raw[:])
}

// varInt takes a number in its shortest form (wire.ReadVarInt), which is most at most.
func (f *fields) varInt(most uint64) int {
	n, least := f.number(1), uint64(0)
	switch n {
	case 0xfd:
		n, least = f.number(2), 0xfd
	case 0xfe:
		n, least = f.number(4), 1<<16
	case 0xff:
		n, least = f.number(8), 1<<32
	}
	if n < least || n > most {
		f.fail()
		return 0
	}
	return int(n)
}
