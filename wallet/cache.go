package wallet

import (
	"math/rand/v2"

	"dcrspv/wallet/internal/coverage"

	"github.com/decred/dcrd/chaincfg/v3"
)

// cache is what the wallet keeps in memory of its file: whatever the work on a
// block needs again and again. It is changed together with the file, and read
// anew from it when a transaction fails.
type cache struct {
	watchSet
	ledger *coverage.Ledger[*script] // which blocks that was tested on
	unfit  unfitBlocks

	positions positions
	unsaved   unsaved // progress
	price     ticketPrice
	totals    totals
	pool      *pool // transactions that wait
	contested contested
	shares    shares // of what peers have sent that waits
	log       eventLog
	queries   queryCache
}

// newCache is the cache of an empty file. Versions of groups start anywhere, so that a scan
// from before means nothing.
func newCache(params *chaincfg.Params) cache {
	return cache{
		watchSet: newWatchSet(), ledger: coverage.New[*script](rand.Uint64() >> 1),
		positions: newPositions(), pool: newPool(keepBlocks(params)), contested: make(contested),
	}
}
