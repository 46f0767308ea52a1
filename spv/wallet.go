package spv

import (
	"context"
	"time"

	"dcrspv/filters"
	"dcrspv/spv/chain"

	"github.com/decred/dcrd/wire"
)

// Wallet is what the Syncer needs of a wallet. Package wallet fulfils it; an
// embedder's own wallet can too.
//
// The Syncer never decides what to scan: the wallet says which blocks it has
// not tested yet (NextScan), and the Syncer brings the ones that match. While Run goes
// on, all methods but Network are called from one goroutine per wallet. Any error they
// return is a local failure, which is never blamed on a peer: the wallet is detached, and
// Run ends if it was the last one (WalletError). A call ends soon after its context,
// whatever it returns then. It must not wait for the Syncer (Fetch, Wait, Close), which
// waits for it when Run ends. Wallets are told apart with ==.
type Wallet interface {
	// Network is the network that the wallet is of (chaincfg.Params.Net).
	Network() wire.CurrencyNet

	// Locator returns blocks that the wallet has processed, newest first and
	// sparse towards genesis: the first one is the block up to which it holds
	// anything, be it the end of the last batch or what it was last rewound to. It
	// is empty for a fresh wallet. The Syncer looks for the first one that is on
	// the best chain.
	Locator(ctx context.Context) ([]chain.BlockID, error)

	// Rewind undoes, in one transaction, every block above to: those blocks
	// are no longer on the best chain.
	Rewind(ctx context.Context, to chain.BlockID) error

	// Birthday is the lowest height that any watched script wants; ok is false
	// when nothing is watched.
	Birthday() (height uint32, ok bool)

	// NextScan returns a range of blocks, none above limit, that some watched
	// script has not been tested against yet: that which the wallet wants first.
	// ok is false when nothing is left to test. A range that is empty, reaches above
	// limit or begins below Birthday, or no Query, is ErrScan: the wallet is detached as
	// for an error.
	NextScan(ctx context.Context, limit uint32) (scan Scan, ok bool, err error)

	// Apply takes the result of a scan in one transaction.
	Apply(context.Context, Batch) error

	// Changed delivers a value after the watch set or its coverage changed, so
	// that there may be more to test. Its capacity is one: several changes may be
	// seen as one. Once it is closed nothing changes any more.
	Changed() <-chan struct{}

	// Scanned returns the range of heights that every watched script has
	// been tested on, counted from the wallet's birthday. It is for display.
	Scanned(limit uint32) (from, through uint32, ok bool)

	// Unscanned returns how many blocks, none above limit, some watched script has not
	// been tested on yet. It is for display.
	Unscanned(limit uint32) uint32
}

// UnminedWallet is what a wallet fulfils besides Wallet to deal with transactions
// that are not in a block: its own, which are to get there, and those of others.
// Its methods are called as those of Wallet are.
type UnminedWallet interface {
	Wallet

	// Pending returns the wallet's own transactions that are to be announced to
	// peers until they are in the chain or can't get there, parents before
	// children. It is asked after each change.
	Pending(ctx context.Context) ([]*wire.MsgTx, error)

	// AddRelayed tells of transactions that a peer has sent, by its address. They are
	// well formed and nothing else about them is verified. Most concern others.
	// more is false when the wallet has no room for what else this peer sends, or when
	// what it has sent could never be mined: it is not asked for any until the next
	// block, so that others are, for what it has sent as well.
	AddRelayed(ctx context.Context, from string, txs []*wire.MsgTx) (more bool, err error)
}

// Scan is a request of a wallet: test these blocks for these scripts.
type Scan struct {
	Range  chain.Range
	Query  *filters.Query
	Groups []uint64 // the wallet's own labels of what Query holds
}

// Batch is the answer to a Scan.
type Batch struct {
	// Scan is as it was given out, except that Range.To may be lower: a scan
	// with very many matches is cut short to bound memory.
	Scan Scan

	// Blocks holds the blocks that matched, in height order, verified.
	Blocks []Block

	// End is the block at Scan.Range.To, Price the ticket price in its header, in
	// atoms.
	End   chain.BlockID
	Price int64

	// Disapproved lists heights from Range.From-1 to Range.To-1 whose regular
	// transactions are disapproved by the votes in the next block.
	Disapproved []uint32
}

// Block is a block that matched. Other wallets get the same message: it must not be changed.
type Block struct {
	ID   chain.BlockID
	Time time.Time
	Msg  *wire.MsgBlock

	// Disapproved is true when the next block is known and its votes
	// invalidate this block's regular transactions (dcrd: header VoteBits bit
	// 0, dcrutil.BlockValid). Its stake transactions count all the same.
	Disapproved bool
}
