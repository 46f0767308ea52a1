package spv

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"dcrspv/spv/chain"
	"dcrspv/spv/internal/chaindb"
)

// ChainFile is the name of the chain database inside Config.DataDir.
const ChainFile = "chain.db"

// Syncer keeps the headers and filters of the best chain, and tests the blocks
// that its wallets owe a test. Its exported methods may be called from any
// goroutine.
type Syncer struct {
	cfg   Config
	rules *chain.Rules
	db    *chaindb.DB
	now   func() time.Time // the clock; time.Now but in tests that set it

	started  atomic.Bool
	begun    chan struct{}      // closed when started is set
	idle     chan struct{}      // holds one value, taken by who uses chain.db (offline.go)
	commands chan func(*engine) // run by the engine's goroutine
	engines  atomic.Uint64      // how many there were: chain.db is mended between two
	stopped  chan struct{}      // closed when Run is over

	board    *board
	feed     *feed
	txs      *txFeed
	messages *messageFeed
	chosen   *chosenPeers // likewise
	wallets  *attached    // for the engine's goroutine, or while there is none for who holds idle

	life context.Context // ends with Close
	end  context.CancelFunc
}

// New opens chain.db and returns a Syncer that is ready to Run. The caller
// closes it.
func New(cfg Config) (*Syncer, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	db, err := openChain(&cfg)
	if err != nil {
		return nil, err
	}
	s := &Syncer{
		cfg:      cfg,
		rules:    cfg.Rules,
		db:       db,
		now:      time.Now,
		begun:    make(chan struct{}),
		idle:     make(chan struct{}, 1),
		commands: make(chan func(*engine)),
		stopped:  make(chan struct{}),
		board:    newBoard(),
		feed:     newFeed(),
		txs:      newTxFeed(),
		messages: newMessageFeed(),
		chosen:   &chosenPeers{addrs: cfg.Connect},
		wallets:  &attached{net: cfg.Params.Net},
	}
	s.idle <- struct{}{}
	s.life, s.end = context.WithCancel(context.Background())
	if err := s.wallets.admitAll(cfg.Wallets); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	st, err := s.storedStatus()
	if err != nil && !mends(err) {
		s.wallets.forgetAll()
		return nil, errors.Join(err, db.Close())
	}
	s.board.show(st)
	return s, nil
}

// openChain opens chain.db, or one in memory.
func openChain(cfg *Config) (*chaindb.DB, error) {
	if cfg.DataDir == "" {
		cfg.Log("SYNC").Infof("Without a data directory the chain is kept in memory")
		return chaindb.OpenMemory(cfg.Rules)
	}
	if err := os.MkdirAll(cfg.DataDir, 0o700); err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	return chaindb.Open(filepath.Join(cfg.DataDir, ChainFile), cfg.Rules)
}

// Run connects, syncs and follows the chain until ctx ends, when it returns
// nil, or until a local failure such as a full disk, which it returns. It is
// the whole life cycle and may be called once.
func (s *Syncer) Run(ctx context.Context) error {
	if !s.begin() {
		return ErrRunning
	}
	defer close(s.stopped)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.life, cancel)()
	<-s.idle // what was begun before it ends first
	defer func() { s.idle <- struct{}{} }()
	var last *engine
	err := mend(ctx, s.db, s.cfg.Log("SYNC"), s.checking, func() error {
		s.engines.Add(1)
		e, err := newEngine(ctx, s, last)
		if err != nil {
			return err
		}
		last = e
		return e.run()
	})
	if last != nil {
		last.registry.Close()
	}
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return nil // it ended while chain.db was being verified
	}
	return err
}

// checking publishes how far the verification of chain.db is.
func (s *Syncer) checking(done, total uint32) {
	s.board.show(Status{
		Network: s.cfg.Params.Name,
		Phase:   Checking,
		Tip:     BlockInfo{Height: max(done, 1) - 1},
		Target:  max(total, 1) - 1,
		Reason:  fmt.Sprintf("verifying %s, %d of %d blocks", ChainFile, done, total),
	})
}

// begin notes that Run or Close was called. It reports whether it is the first time.
func (s *Syncer) begin() bool {
	first := s.started.CompareAndSwap(false, true)
	if first {
		close(s.begun)
	}
	return first
}

// Close ends Run, releases the wallets and closes chain.db. It may be called twice.
func (s *Syncer) Close() error {
	s.end()
	if s.begin() {
		close(s.stopped) // never ran, and can't any more
	}
	<-s.stopped
	<-s.idle
	defer func() { s.idle <- struct{}{} }()
	s.wallets.forgetAll()
	return s.db.Close()
}

// Status returns a snapshot.
func (s *Syncer) Status() Status {
	st, _ := s.board.get()
	return st
}

// Watch delivers the Status, now and after each change, until ctx ends; then the channel
// is closed. A slow reader misses snapshots in between and delays nobody.
func (s *Syncer) Watch(ctx context.Context) <-chan Status { return s.board.watch(ctx) }

// Wait returns nil once the condition holds, the context's error if that ends
// first, or ErrNotRunning if Run ends first.
//
// What was watched before the call counts: Wait has every wallet asked again
// first, so that a status from before the change can't end the wait.
func (s *Syncer) Wait(ctx context.Context, c Condition) error {
	if s.started.Load() {
		if err := s.do(ctx, (*engine).reconsider); err != nil {
			return err
		}
	}
	for {
		st, changed := s.board.get()
		if c == Synced && st.Synced || c == Settled && st.Settled {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		case <-s.stopped:
			return ErrNotRunning
		}
	}
}

// nudge has the engine look again at what it can see without being told, if it is idle.
func (s *Syncer) nudge() {
	select {
	case s.commands <- func(*engine) {}:
	default:
	}
}

// do runs fn on the engine's goroutine and waits for it.
func (s *Syncer) do(ctx context.Context, fn func(*engine)) error {
	done := make(chan struct{})
	command := func(e *engine) {
		defer close(done)
		fn(e)
	}
	if !s.started.Load() {
		return ErrNotRunning
	}
	select {
	case s.commands <- command:
	case <-ctx.Done():
		return ctx.Err()
	case <-s.stopped:
		return ErrNotRunning
	}
	<-done
	return nil
}
