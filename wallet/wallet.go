package wallet

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"

	"dcrspv/filters"
	"dcrspv/internal/dbfile"
	"dcrspv/spv"
	"dcrspv/spv/chain"

	"github.com/decred/dcrd/chaincfg/v3"
	"github.com/decred/dcrd/dcrutil/v4"
	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// Wallet is one watch-only wallet in one file. Its methods may be called from
// any goroutine, but those that package spv declares in spv.Wallet belong to
// one Syncer at a time.
type Wallet struct {
	path    string
	params  *chaincfg.Params
	db      *dbfile.File
	changed chan struct{}

	// mu is held by everything that writes, and guards cache. Readers of the
	// file alone need no lock: bbolt gives each a state of its own.
	mu mutex
	cache

	wake waker

	acquired atomic.Bool // by a Syncer

	keepEvents uint64
	maxAhead   uint32 // see derive; 0 is none
	maxScan    uint32 // blocks of one scan
	nearTip    uint32
}

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

var _ spv.Wallet = (*Wallet)(nil)

// Open opens the wallet file at path, or creates it if there is none (its
// directory must exist), for nobody else to read. Of a file that is there the mode
// stays as it is. The file is locked until Close.
//
// Errors: ErrInUse when somebody else still has the file after one second;
// ErrNewer, ErrDevelopment, ErrNetwork, ErrLink and ErrCorrupt as described there; else
// that of the operating system. None of them changes the file.
func Open(path string, params *chaincfg.Params) (*Wallet, error) {
	return openWallet(path, params, false)
}

// OpenNameless opens a wallet for one question, whose file has no name any more when
// it returns: nothing is left of it however the program ends. Where an open file can't
// be removed (on Windows) that is left to the caller, after Close. Errors are those of
// Open.
func OpenNameless(path string, params *chaincfg.Params) (*Wallet, error) {
	return openWallet(path, params, true)
}

func openWallet(path string, params *chaincfg.Params, nameless bool) (*Wallet, error) {
	db, err := openFile(path, params, nameless)
	if err != nil {
		return nil, named(path, err)
	}
	w := &Wallet{
		path:       path,
		mu:         make(mutex, 1),
		params:     params,
		db:         db,
		changed:    make(chan struct{}, 1),
		keepEvents: keepEvents,
		maxAhead:   maxAhead,
		maxScan:    maxScan,
		nearTip:    nearTip,
	}
	w.wake.init()
	// Labels start anywhere, so that a batch from before a reopen means nothing.
	w.label = rand.Uint64() >> 1
	if err := w.load(); err != nil {
		db.Close()
		return nil, named(path, err)
	}
	return w, nil
}

// Close ends the use of the file. Events loops end with ErrClosed. Calling it
// again does nothing.
func (w *Wallet) Close() error {
	w.wake.close()
	return w.explain(w.db.Close())
}

// Params is the wallet's network.
func (w *Wallet) Params() *chaincfg.Params { return w.params }

// Changed delivers a value after the watch set or its coverage changed.
func (w *Wallet) Changed() <-chan struct{} { return w.changed }

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

// change is a transaction that writes. Its first failure is kept in err and
// undoes all of it, so that the code that makes changes needs no error paths:
// whatever is computed after a failure is thrown away.
type change struct {
	*buckets
	ctx   context.Context
	w     *Wallet
	err   error
	wrote bool // something is to be committed
	woken bool // an event was added
	debt  bool // the watch set or its coverage changed

	shrunk     bool                 // something is no longer watched or awaited
	lost       map[string]bool      // scripts whose coins may not be the wallet's any more
	withdrawn  bool                 // an account reaches less far
	unwatching bool                 // by the owner's will
	entered    map[*script]bool     // see lookOut
	fresh      map[*pendingMsg]bool // those that came, or are to be looked for: see lookOut
	recount    bool                 // the sums of the coins have changed
	repriced   bool                 // the ticket price has changed
	logged     bool                 // events came or went

	pool *pool // that of w

	hears    *string       // the peer that it is told by; nil if by none
	weighed  bool          // something that effects follow from has changed
	untold   map[hash]bool // came to be pending and is not in the log yet
	suspects map[hash]bool // to be checked, see judge
}

// errUnchanged ends a transaction that has nothing to commit.
var errUnchanged = errors.New("nothing changed")

// update runs one writing transaction. The cache follows the file: if the
// transaction fails it is read again.
func (w *Wallet) update(ctx context.Context, fn func(*change)) error {
	if err := w.mu.lockFor(ctx); err != nil {
		return err
	}
	defer w.mu.Unlock()
	if w.broken != nil {
		return w.explain(w.broken)
	}
	c := &change{ctx: ctx, w: w, pool: w.pool, untold: make(map[hash]bool), suspects: make(map[hash]bool)}
	err := w.db.Update(func(tx *bbolt.Tx) error {
		if err := w.db.CheckRest(); err != nil { // before anything is written
			return err
		}
		if c.buckets, c.err = openBuckets(ctx, tx); c.err == nil {
			fn(c)
			c.fit()
			c.forget()
			c.judge()
			c.lookOut()
			c.await()
			c.tellUnmined()
			c.saveTotals()
			c.saveLog()
			c.fail(c.saveTally())
			c.err = c.result(c.err)
		}
		if c.err == nil && !c.wrote {
			return errUnchanged
		}
		return c.err
	})
	if errors.Is(err, errUnchanged) {
		return nil
	}
	if err != nil {
		if c.wrote || w.db.Over() != nil || errors.Is(err, ErrCorrupt) {
			if again := w.load(); again != nil && !errors.Is(err, ErrCorrupt) && !errors.Is(err, again) {
				err = fmt.Errorf("%w, and then: %w", err, again)
			}
		}
		return w.explain(err)
	}
	if c.woken {
		w.wake.all()
	}
	if c.debt {
		select {
		case w.changed <- struct{}{}:
		default:
		}
	}
	return nil
}

// view runs one reading transaction.
func (w *Wallet) view(ctx context.Context, fn func(*buckets) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return w.explain(w.read(ctx, fn))
}

// read runs fn on the buckets in one reading transaction.
func (w *Wallet) read(ctx context.Context, fn func(*buckets) error) error {
	return w.db.View(func(tx *bbolt.Tx) error {
		b, err := openBuckets(ctx, tx)
		if err != nil {
			return err
		}
		b.checkRest = w.db.CheckRest
		return b.result(fn(b))
	})
}

// explain names the file in errors that come from it.
func (w *Wallet) explain(err error) error {
	err = translate(err)
	var kind ErrorKind
	switch {
	case err == nil, errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.Is(err, bolterrors.ErrDatabaseNotOpen):
		return ErrClosed
	case errors.As(err, &kind) && kind != ErrCorrupt:
		return err
	}
	return named(w.path, err)
}

// named names the file in an error, and what to do if it is damaged.
func named(path string, err error) error {
	if errors.Is(err, ErrCorrupt) {
		return fmt.Errorf("%s: %w (restore a backup, or watch again in a new file)", path, err)
	}
	return fmt.Errorf("%s: %w", path, err)
}

// fail keeps the first failure of a transaction.
func (c *change) fail(err error) {
	if c.err == nil {
		c.err = err
	}
}

// wait fails if the caller no longer waits for the change.
func (c *change) wait() {
	if c.err == nil {
		c.err = c.over()
	}
}

func (c *change) put(b *bucket, key, value []byte) {
	c.wait()
	c.wrote, c.weighed = true, c.weighed || c.weighs(b)
	if err := b.Put(key, value); err != nil {
		c.fail(err)
	}
}

func (c *change) del(b *bucket, key []byte) {
	c.wait()
	c.wrote, c.weighed = true, c.weighed || c.weighs(b)
	if err := b.Delete(key); err != nil {
		c.fail(err)
	}
}
