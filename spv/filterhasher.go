package spv

import (
	"dcrspv/spv/chain"
	"dcrspv/spv/internal/chaindb"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/crypto/blake256"
)

// filterHasher hashes filters in height order.
type filterHasher struct {
	next uint32 // height of the next one
	hash *blake256.Hasher256
}

func newFilterHasher(next uint32) *filterHasher {
	return &filterHasher{next: next, hash: blake256.NewHasher256()}
}

func (h *filterHasher) add(filter []byte) {
	h.hash.WriteBytes(filter)
	h.next++
}

func (h *filterHasher) sum() chainhash.Hash { return h.hash.Sum256() }

// catchUp hashes the stored filters up to a height.
func (h *filterHasher) catchUp(db *chaindb.DB, to uint32) error {
	if h.next > to {
		return nil
	}
	return db.Blocks(chain.Range{From: h.next, To: to}, func(_ uint32, _ *chain.Header, filter []byte) bool {
		h.add(filter)
		return true
	})
}

// batchHash is the hash of the filters of a batch.
func batchHash(filters [][]byte) chainhash.Hash {
	h := newFilterHasher(0)
	for _, filter := range filters {
		h.add(filter)
	}
	return h.sum()
}
