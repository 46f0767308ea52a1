package wallet

import (
	"context"

	"dcrspv/filters"
	"dcrspv/spv/chain"

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
	groups    map[uint64]*group
	positions []chain.BlockID // ascending
	label     uint64          // last label given to a group

	totals totals
	price  dcrutil.Amount // of a ticket in the next block; 0 is not known
	unfit  uint64         // see setUnfit

	born      uint32 // lowest birthday of all scripts, valid if bornKnown
	bornKnown bool

	// contested: scripts to be searched for besides the watched ones.
	contested map[hash]*contestedInputs

	pool *pool // transactions that wait

	// told is what the log says of the pending transactions that may be mined: see
	// Unmined.digest.
	told map[hash]string

	logged uint64 // bytes of the events that are kept

	shares shares // of what peers have sent that waits

	query       *filters.Query // of the groups with queryLabels
	queryLabels []uint64

	broken error // the file could not be read again after a failure
}

// load reads the cache from the file. mu is held, or nobody else has w yet.
func (w *Wallet) load() error {
	label := w.label
	w.cache = cache{
		accounts: make(map[uint32]*account),
		scripts:  make(map[string]*script),
		points:   make(map[outPoint]*script),
		pointsOf: make(map[string]int),
		groups:   make(map[uint64]*group),
		label:    label,

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
