package wallet

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/wire"
)

// OutPoint is an output to watch. That of a ticket is found by a script that the ticket
// commits to pay, and is worth what that gets back: see Balance.Staked. One that can't
// be spent is in no filter.
//
// Watch.From must be at or below the height of the block that makes it: else the
// output is not found, and what spends it is not recognised as its spending. The
// tree follows from the transaction.
type OutPoint struct {
	Hash  chainhash.Hash // of the transaction
	Index uint32

	// Script is what the output pays, of version 0; a stake opcode at the front is
	// taken off, as in Watch.Scripts. Watch refuses a wrong one if the wallet has the
	// transaction; else nothing is ever found with it. Of a ticket it may be any that
	// it commits to pay. Unwatch does without it.
	Script []byte
}

// String is the outpoint as people write it, without the script.
func (o OutPoint) String() string { return fmt.Sprintf("%v:%d", o.Hash, o.Index) }

type (
	hash = chainhash.Hash

	// outPoint is what identifies a coin. The tree follows from it.
	outPoint struct {
		hash  hash
		index uint32
	}
)

func (o *outPoint) String() string { return OutPoint{Hash: o.hash, Index: o.index}.String() }

func (o *outPoint) key() []byte { return outPointKey(&o.hash, o.index) }

// parseOutPoint reads what String prints.
func parseOutPoint(name string) (o outPoint, ok bool) {
	txid, index, found := strings.Cut(name, ":")
	if o.hash, ok = parseTxID(txid); !ok || !found {
		return outPoint{}, false
	}
	n, err := strconv.ParseUint(index, 10, 32)
	o.index = uint32(n)
	return o, err == nil
}

// parseTxID reads a hash as it is printed.
func parseTxID(name string) (id hash, ok bool) {
	if len(name) != hex.EncodedLen(chainhash.HashSize) {
		return hash{}, false
	}
	err := chainhash.Decode(&id, name)
	return id, err == nil
}

// encodeOutpoint: group 8, birthday 4, length of the script 4, script, label.
func (s *script) encodeOutpoint() []byte {
	b := make([]byte, 0, outpointHead+len(s.raw)+len(s.label))
	b = be.AppendUint32(be.AppendUint64(b, s.Group()), s.Birthday())
	b = append(be.AppendUint32(b, uint32(len(s.raw))), s.raw...)
	return append(b, s.label...)
}

// outpointHead is the length of what precedes the script in the record of a watched
// outpoint.
const outpointHead = 16

// outpointScript is the script in such a record, which may be nil, and the label.
func outpointScript(record []byte) (raw, label []byte, ok bool) {
	if len(record) < outpointHead {
		return nil, nil, false
	}
	n := be.Uint32(record[outpointHead-4:])
	if n == 0 || uint64(n) > uint64(len(record)-outpointHead) {
		return nil, nil, false
	}
	return record[outpointHead : outpointHead+n], record[outpointHead+n:], true
}

func decodeOutpoint(key, b []byte) (s *script, group uint64, birthday uint32, ok bool) {
	raw, label, ok := outpointScript(b)
	if !ok || len(key) != chainhash.HashSize+4 {
		return nil, 0, 0, false
	}
	birthday = be.Uint32(b[8:])
	op := outPoint{hash(key[:chainhash.HashSize]), be.Uint32(key[chainhash.HashSize:])}
	s = newOutpointEntry(op, string(raw), birthday, string(label))
	return s, be.Uint64(b), birthday, true
}

// newOutpointEntry is an output that is watched by itself.
func newOutpointEntry(op outPoint, raw string, birthday uint32, label string) *script {
	return &script{outpoint: &op, raw: raw, explicit: true, since: birthday, label: label, usedAt: unused}
}

// nothing is what inputs name that spend no output: those of coinbases, votes
// and treasury spends.
var nothing = outPoint{index: wire.MaxPrevOutIndex}

func spent(in *wire.TxIn) outPoint {
	return outPoint{in.PreviousOutPoint.Hash, in.PreviousOutPoint.Index}
}

func outPointKey(hash *chainhash.Hash, index uint32) []byte {
	return be.AppendUint32(append(make([]byte, 0, 36), hash[:]...), index)
}
