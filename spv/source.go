package spv

import (
	"context"

	"dcrspv/spv/chain"
	"dcrspv/spv/peer"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/wire"
)

// Source is one place that chain data comes from: as a rule a connection to a
// Decred node, and then it is a *peer.Peer, whose methods say in detail what is
// expected of each. Something else may serve the same data, such as an archive
// of filters behind another protocol; it is verified all the same.
//
// Methods are called from several goroutines. Errors are those of package peer:
// what an error costs the source depends on its kind.
type Source interface {
	// Info tells what the source says about itself, above all its height.
	Info() peer.Info

	// Run serves until the source ends, its context ends or Close is called,
	// and returns why. Whatever was not asked for goes to the handler.
	Run(ctx context.Context, h peer.Handler) error

	// Close ends Run with a reason; only the first call counts.
	Close(reason error)

	// Stats counts what was asked and what came.
	Stats() peer.Stats

	// Headers, Filters and Blocks are requests; see the methods of peer.Peer.
	Headers(ctx context.Context, locator []chainhash.Hash, stop chainhash.Hash) ([]chain.Header, error)
	Filters(ctx context.Context, hashes []chainhash.Hash) ([][]byte, error)
	Blocks(ctx context.Context, hashes []chainhash.Hash, fn func(i int, b *wire.MsgBlock) error) error

	// SendHeaders asks for announcements of new blocks by their headers, and
	// for the headers after locator; RequestHeaders asks for those once more.
	// All of them go to the handler.
	SendHeaders(locator []chainhash.Hash) error
	RequestHeaders(locator []chainhash.Hash) error

	// RequestAddrs asks for addresses of other nodes, which go to the handler.
	RequestAddrs() error

	// Announce offers transactions, Serve sends one that was asked for and
	// NotFound refuses it. RequestTxs asks for transactions; they go to the
	// handler.
	Announce(txs []chainhash.Hash) error
	Serve(tx *wire.MsgTx) error
	NotFound(inv []*wire.InvVect) error
	RequestTxs(txs []chainhash.Hash) error
}

// OpenFunc opens a source by its address. What cfg says has to be kept: our
// height is told, and Accept is asked before anything else costs anything.
type OpenFunc func(ctx context.Context, addr string, cfg *peer.Config) (Source, error)

// openPeer is the OpenFunc of the Decred protocol over connections that dial
// makes.
func openPeer(dial DialFunc) OpenFunc {
	return func(ctx context.Context, addr string, cfg *peer.Config) (Source, error) {
		dialCtx, cancel := context.WithTimeout(ctx, dialTimeout)
		conn, err := dial(dialCtx, "tcp", addr)
		cancel()
		if err != nil {
			return nil, err
		}
		p, err := peer.Handshake(ctx, conn, addr, cfg)
		if err != nil {
			return nil, err
		}
		return p, nil
	}
}
