package dcrwallet

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"dcrspv/spv"
	"dcrspv/spv/chain"

	"decred.org/dcrwallet/v5/wallet"
	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/dcrutil/v4"
	"github.com/decred/dcrd/gcs/v4"
	"github.com/decred/dcrd/gcs/v4/blockcf2"
	"github.com/decred/dcrd/txscript/v4/stdaddr"
	"github.com/decred/dcrd/wire"
	"github.com/decred/slog"
)

var (
	// ErrNetwork: the wallet and the Syncer are of different networks.
	ErrNetwork = errors.New("the wallet is of another network than the syncer")

	// ErrFilters: the Syncer does not hold all filters. Its Config.Birthday has to be nil.
	ErrFilters = errors.New("the syncer does not hold all filters")

	// ErrLocked: accounts in use are to be searched for, and the wallet is locked.
	ErrLocked = errors.New("the wallet has to be unlocked for its first sync")

	// ErrRunning: Run was called before.
	ErrRunning = errors.New("the backend runs already, or has ended")

	// ErrEnded: Run has ended.
	ErrEnded = errors.New("the backend does not run any more")
)

// Config is what a Backend is made from. The zero value works.
type Config struct {
	// AccountGap is how many accounts without any use may lie between two in use that
	// are found, as wallet.Config.AccountGapLimit; 0 is wallet.DefaultAccountGapLimit.
	AccountGap uint32

	// Log is for what happens to the wallet; nil is silence.
	Log slog.Logger
}

// Backend is the network as one wallet sees it: a wallet.NetworkBackend on a Syncer. Its
// exported methods may be called from any goroutine. A wallet has one at a time.
type Backend struct {
	s   *spv.Syncer
	w   *wallet.Wallet
	cfg Config

	watched watched
	state   state
	began   atomic.Bool     // Run was called
	debt    debt            // of the goroutine of drive
	life    context.Context // ends with Run
	end     context.CancelFunc
}

var _ wallet.NetworkBackend = (*Backend)(nil)

// New makes a Backend. The caller closes neither the Syncer nor the wallet before Run has
// ended. The error is ErrNetwork, or one of spv.Syncer.Header.
func New(s *spv.Syncer, w *wallet.Wallet, cfg Config) (*Backend, error) {
	if cfg.AccountGap == 0 {
		cfg.AccountGap = wallet.DefaultAccountGapLimit
	}
	if cfg.Log == nil {
		cfg.Log = slog.Disabled
	}
	if name := w.ChainParams().Name; s.Status().Network != name {
		return nil, fmt.Errorf("%w: %s and %s", ErrNetwork, name, s.Status().Network)
	}
	b := &Backend{s: s, w: w, cfg: cfg}
	b.life, b.end = context.WithCancel(context.Background())
	b.state.init(b.tip(context.Background()))
	b.watched.reset()
	return b, nil
}

// Blocks returns blocks of the best chain, verified. It waits for a peer that has them.
// A block that is not on the best chain is spv.ErrNotStored.
func (b *Backend) Blocks(ctx context.Context, hashes []*chainhash.Hash) (blocks []*wire.MsgBlock, err error) {
	ids := make([]chain.BlockID, len(hashes))
	for i, hash := range hashes {
		if ids[i], err = b.id(ctx, hash); err != nil {
			return nil, err
		}
	}
	for block, err := range b.s.Fetch(ctx, ids...) {
		if err != nil {
			return nil, err
		}
		blocks = append(blocks, block)
	}
	return blocks, nil
}

// CFiltersV2 returns the filters of blocks of the best chain. There are no proofs beside
// them: the only leaf of a version 1 header commitment is the hash of the filter (DCP0005).
func (b *Backend) CFiltersV2(ctx context.Context, hashes []*chainhash.Hash) ([]wallet.FilterProof, error) {
	proofs := make([]wallet.FilterProof, len(hashes))
	for i, hash := range hashes {
		id, err := b.id(ctx, hash)
		if err != nil {
			return nil, err
		}
		for stored, err := range b.s.Read(ctx, chain.Range{From: id.Height, To: id.Height}) {
			if err == nil && stored.ID != id {
				err = fmt.Errorf("%w: block %v", spv.ErrNotStored, id.Hash)
			}
			if err != nil {
				return nil, err
			}
			if proofs[i].Filter, err = filterOf(&stored); err != nil {
				return nil, err
			}
		}
	}
	return proofs, nil
}

// filterOf decodes the filter of a block.
func filterOf(stored *spv.Stored) (*gcs.FilterV2, error) {
	if stored.Filter == nil {
		return nil, fmt.Errorf("%w: block %d", ErrFilters, stored.ID.Height)
	}
	return gcs.FromBytesV2(blockcf2.B, blockcf2.M, stored.Filter)
}

// id completes the hash of a block by its height.
func (b *Backend) id(ctx context.Context, hash *chainhash.Hash) (chain.BlockID, error) {
	if header, err := b.w.BlockHeader(ctx, hash); err == nil {
		return chain.BlockID{Height: header.Height, Hash: *hash}, nil
	}
	height, err := b.s.Lookup(ctx, *hash)
	return chain.BlockID{Height: height, Hash: *hash}, err
}

// PublishTransactions has the Syncer announce transactions, and does not wait for anybody.
// It works without peers too: they are announced to those who connect later.
func (b *Backend) PublishTransactions(ctx context.Context, txs ...*wire.MsgTx) error {
	return b.s.Offer(ctx, txs...)
}

// LoadTxFilter adds to what is watched, or begins anew with it.
func (b *Backend) LoadTxFilter(_ context.Context, reload bool, addrs []stdaddr.Address, outpoints []wire.OutPoint) error {
	if reload {
		b.watched.reset()
	}
	b.watched.add(addrs, outpoints)
	return nil
}

// errNoPrice: the ticket price is not in any message. The wallet works it out itself.
var errNoPrice = errors.New("peers can't be asked for the ticket price")

// StakeDifficulty is always an error: wallet.Wallet.NextStakeDifficulty tells the price.
func (b *Backend) StakeDifficulty(context.Context) (dcrutil.Amount, error) { return 0, errNoPrice }

// Synced reports whether the wallet shows what the tip says, and the height that it is
// on its way to.
func (b *Backend) Synced(context.Context) (bool, int32) {
	st := b.s.Status()
	own, _ := b.state.get()
	return st.Synced && own.shows(b.s.Tip()), int32(st.Target)
}

// WrapContext returns a context that ends with Run, too.
func (b *Backend) WrapContext(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(b.life, cancel)
	return ctx, func() {
		stop()
		cancel()
	}
}
