package chain

import (
	"fmt"

	"github.com/decred/dcrd/blockchain/standalone/v2"
	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/crypto/blake256"
	"github.com/decred/dcrd/wire"
)

// CheckBlock checks that b is the block of the (accepted) header h, with
// exactly the transactions that h commits to. The size is part of that: the
// merkle tree alone would not notice a repeated transaction.
//
// Errors: ErrBlockMismatch, ErrBlockSize, ErrMerkle.
func (r *Rules) CheckBlock(h *Header, b *wire.MsgBlock) error {
	if HeaderFromWire(&b.Header) != *h {
		return fmt.Errorf("%w: got block %d, want %d", ErrBlockMismatch, b.Header.Height, h.Height())
	}
	size := b.SerializeSize()
	if uint32(size) != h.Size() || size > r.maxBlockSize {
		return fmt.Errorf("%w: %d bytes, header says %d, limit %d", ErrBlockSize, size, h.Size(), r.maxBlockSize)
	}
	if len(b.Transactions) == 0 {
		return fmt.Errorf("%w: no transactions", ErrMerkle)
	}
	if r.CommitmentsAt(h.Height()) {
		root := standalone.CalcCombinedTxTreeMerkleRoot(b.Transactions, b.STransactions)
		return compareRoots("combined", h.MerkleRoot(), root)
	}
	root := standalone.CalcTxTreeMerkleRoot(b.Transactions)
	if err := compareRoots("regular", h.MerkleRoot(), root); err != nil {
		return err
	}
	root = standalone.CalcTxTreeMerkleRoot(b.STransactions)
	return compareRoots("stake", h.StakeRoot(), root)
}

func compareRoots(tree string, want, got chainhash.Hash) error {
	if got != want {
		return fmt.Errorf("%w: %s tree has %v, header says %v", ErrMerkle, tree, got, want)
	}
	return nil
}

// CheckFilter checks a serialized version 2 filter against the header of its
// block. A version 1 header commitment has a single leaf, so the commitment
// root is the hash of the filter (DCP0005). Before DCP0005 no header commits to
// its filter and any passes that can be one (see FilterSetHash): a script takes
// under 3 bytes in it and over 10 in its block, which bounds its share.
// (Headers of genesis blocks don't tell their size.)
//
// Error: ErrFilter.
func (r *Rules) CheckFilter(h *Header, filter []byte) error {
	if !r.CommitmentsAt(h.Height()) {
		if h.Height() > 0 && 10*uint64(len(filter)) > 3*uint64(h.Size()) {
			return fmt.Errorf("%w: %d bytes for a block of %d", ErrFilter, len(filter), h.Size())
		}
		return nil
	}
	var hash chainhash.Hash // zero for an empty filter (gcs.FilterV2.Hash)
	if len(filter) > 0 {
		hash = blake256.Sum256(filter)
	}
	if hash != h.StakeRoot() {
		return fmt.Errorf("%w: hash %v, header commits to %v", ErrFilter, hash, h.StakeRoot())
	}
	return nil
}
