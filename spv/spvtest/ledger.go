package spvtest

import (
	"encoding/binary"
	"sync"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/crypto/blake256"
	"github.com/decred/dcrd/wire"
)

// ledger knows the outputs of every transaction that was built or mined, on any
// branch, and hands out what must be unique. It is shared by all branches.
type ledger struct {
	mu       sync.Mutex
	outputs  map[outputKey]*wire.TxOut
	serial   uint64
	branches uint32
}

// outputKey is an outpoint without its tree, which a hash implies.
type outputKey struct {
	hash  chainhash.Hash
	index uint32
}

func newLedger() *ledger {
	return &ledger{outputs: make(map[outputKey]*wire.TxOut)}
}

// record remembers the outputs of a transaction.
func (l *ledger) record(tx *wire.MsgTx) {
	hash := tx.TxHash()
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, out := range tx.TxOut {
		l.outputs[outputKey{hash, uint32(i)}] = out
	}
}

// output returns what an outpoint refers to: nil if it is made up.
func (l *ledger) output(op *wire.OutPoint) *wire.TxOut {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.outputs[outputKey{op.Hash, op.Index}]
}

// PrevScript is what a filter is made with (blockcf2.PrevScripter). Outputs that
// nobody built are the builder's own.
func (l *ledger) PrevScript(op *wire.OutPoint) (version uint16, script []byte, ok bool) {
	if out := l.output(op); out != nil {
		return out.Version, out.PkScript, true
	}
	return 0, builderScript(), true
}

// unique returns a hash that was never returned before: for made-up coins.
func (l *ledger) unique() chainhash.Hash {
	l.mu.Lock()
	l.serial++
	n := l.serial
	l.mu.Unlock()
	return chainhash.Hash(blake256.Sum256(binary.LittleEndian.AppendUint64([]byte("coin"), n)))
}

// nextBranch numbers the branches; 0 is the chain that NewChain made.
func (l *ledger) nextBranch() uint32 {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.branches++
	return l.branches
}
