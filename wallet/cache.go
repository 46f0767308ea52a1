package wallet

import (
	"context"
	"math/rand/v2"

	"dcrspv/spv/chain"
	"dcrspv/wallet/internal/coverage"

	"github.com/decred/dcrd/dcrutil/v4"
)

// cache is what the wallet keeps in memory of its file: whatever the work on a
// block needs again and again. It is changed together with the file, and read
// anew from it when a transaction fails.
type cache struct {
	accounts  map[uint32]*account
	scripts   map[string]*script   // those watched as such, and those ahead of a gap
	points    map[outPoint]*script // outpoints
	pointsOf  map[string]int       // how many of them pay a script
	positions []chain.BlockID      // ascending

	totals totals
	price  dcrutil.Amount // of a ticket in the next block; 0 is not known
	unfit  uint64         // see setUnfit

	ledger *coverage.Ledger[*script] // which blocks they were tested on

	// contested: scripts to be searched for besides the watched ones.
	contested map[hash]*contestedInputs

	pool *pool // transactions that wait

	// told is what the log says of the pending transactions that may be mined: see
	// Unmined.digest.
	told map[hash]string

	logged uint64 // bytes of the events that are kept

	shares shares // of what peers have sent that waits

	queries queryCache

	broken error // the file could not be read again after a failure
}

// load reads the cache from the file. mu is held, or nobody else has w yet.
func (w *Wallet) load() error {
	// Versions start anywhere, so that a batch from before a reopen means nothing.
	version := rand.Uint64() >> 1
	if w.ledger != nil {
		version = w.ledger.Version()
	}
	w.cache = cache{
		accounts: make(map[uint32]*account),
		scripts:  make(map[string]*script),
		points:   make(map[outPoint]*script),
		pointsOf: make(map[string]int),
		ledger:   coverage.New[*script](version),

		pool:      newPool(),
		contested: make(map[hash]*contestedInputs),
		told:      make(map[hash]string),
	}
	w.broken = w.read(context.Background(), func(b *buckets) error {
		for _, load := range []func(*buckets) error{
			w.loadAccounts, w.loadGroups, w.loadScripts, w.loadPoints, w.loadPositions, w.loadTotals, w.loadPrice, w.loadPending, w.loadAwaited, w.loadUnfit, w.loadLog,
		} {
			if err := load(b); err != nil {
				return err
			}
		}
		return nil
	})
	return w.broken
}
