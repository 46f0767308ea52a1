package filters

import (
	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/crypto/blake256"
)

// Hash returns the hash of a filter's serialized bytes, which is what the block
// commits to: with a version 1 header commitment (DCP0005) the tree has this one
// leaf, so it is the header's stake root itself. An empty filter hashes to all
// zeroes, as it does in dcrd (gcs.FilterV2.Hash).
func Hash(filter []byte) chainhash.Hash {
	if len(filter) == 0 {
		return chainhash.Hash{}
	}
	return blake256.Sum256(filter)
}
