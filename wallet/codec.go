package wallet

import (
	"encoding/binary"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/dcrutil/v4"
)

// Integers are big endian, so that keys sort by number. Hashes are stored in
// their natural byte order, not reversed as they are printed.

var be = binary.BigEndian

func key32(n uint32) []byte { return be.AppendUint32(nil, n) }

func key64(n uint64) []byte { return be.AppendUint64(nil, n) }

// decoder reads a record from front to back. Reading past the end gives zeros, and ok
// reports it.
type decoder struct {
	b   []byte
	bad bool
}

func (d *decoder) bytes(n int) []byte {
	if len(d.b) < n {
		d.bad, d.b = true, nil
		return make([]byte, n)
	}
	out := d.b[:n]
	d.b = d.b[n:]
	return out
}

func (d *decoder) u8() uint8 { return d.bytes(1)[0] }

func (d *decoder) u32() uint32 { return be.Uint32(d.bytes(4)) }

func (d *decoder) u64() uint64 { return be.Uint64(d.bytes(8)) }

func (d *decoder) amount() dcrutil.Amount { return dcrutil.Amount(d.u64()) }

func (d *decoder) hash() chainhash.Hash { return chainhash.Hash(d.bytes(chainhash.HashSize)) }

// rest is a copy of all that is left: records read from bbolt are only valid
// during the transaction.
func (d *decoder) rest() []byte {
	out := append([]byte(nil), d.b...)
	d.b = nil
	return out
}

// ok reports whether the record had exactly the bytes that were read.
func (d *decoder) ok() bool { return !d.bad && len(d.b) == 0 }
