package spv

import (
	"context"
	"time"

	"dcrspv/spv/chain"
	"dcrspv/spv/internal/peer"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/chaincfg/v3"
	"github.com/decred/dcrd/wire"
	"github.com/decred/slog"
)

// Source is one place that chain data comes from: as a rule a connection to a
// Decred node. Something else may serve the same data, such as an archive of filters
// behind another protocol; it is verified all the same.
//
// Methods are called from several goroutines. What an error costs the source depends
// on its kind: ErrStalled, ErrNotFound, ErrProtocol, ErrClosed, or anything else.
type Source interface {
	// Info tells what the source says about itself, above all its height.
	Info() SourceInfo

	// Run serves until the source ends, its context ends or Close is called,
	// and returns why. Whatever was not asked for goes to the handler.
	Run(ctx context.Context, h SourceHandler) error

	// Close ends Run with a reason; only the first call counts.
	Close(reason error)

	// Stats counts what was asked and what came.
	Stats() SourceStats

	// Headers returns the headers after the first block of locator that the source
	// has on its best chain, lowest first, up to stop or 2000. The locator is in
	// descending order and ends with genesis. A zero stop is as many as there are.
	Headers(ctx context.Context, locator []chainhash.Hash, stop chainhash.Hash) ([]chain.Header, error)

	// Filters returns the serialized version 2 filter of each block, in the order of
	// hashes: those of 1 to 100 blocks that follow each other.
	Filters(ctx context.Context, hashes []chainhash.Hash) ([][]byte, error)

	// Blocks calls fn for each block, in any order, i being its place in hashes. An
	// error of fn ends it and is returned.
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

// MessageSource is a Source that also passes on what the Syncer has no use for itself.
type MessageSource interface {
	Source

	// Send sends an inv of mixing messages, one of these themselves after it was
	// asked for, a getdata of mixing messages, or getinitstate, of which a second
	// one is left out. The answers go to the handler. The message is not changed any
	// more.
	Send(msg wire.Message) error
}

// Errors of a Source that are told apart.
var (
	// ErrStalled is a request that made no progress for 30 seconds.
	ErrStalled error = peer.ErrStalled

	// ErrNotFound is a block that the source does not have.
	ErrNotFound error = peer.ErrNotFound

	// ErrProtocol is a source that broke the protocol, which gets it banned.
	ErrProtocol error = peer.ErrProtocol

	// ErrClosed is a source that has ended. It says nothing else about the source.
	ErrClosed error = peer.ErrClosed
)

// SourceInfo is what a source says about itself. Nothing of it is verified.
type SourceInfo struct {
	Addr       string           // the one it was opened by
	UserAgent  string           // printable, at most 128 characters
	PVer       uint32           // agreed protocol version, 9 or higher
	Services   wire.ServiceFlag // SFNodeNetwork is set
	Height     uint32           // of its tip
	TimeOffset time.Duration    // its clock minus ours, whole seconds
}

// SourceHandler takes what comes without being waited for. Its methods are called from
// Run, one at a time and in the order of arrival. They may block. Slices and messages
// belong to the handler.
type SourceHandler interface {
	// Headers takes announcements, and after SendHeaders every headers message,
	// empty ones included.
	Headers(headers []chain.Header)

	// Inv takes announcements of blocks, transactions and mixing messages, never empty.
	Inv(inv []*wire.InvVect)

	// GetData takes requests for transactions and mixing messages that we announced,
	// never empty. The answer is a Serve or Send for each, or NotFound.
	GetData(inv []*wire.InvVect)

	// Addrs takes addresses of other full nodes, as host:port.
	Addrs(addrs []string)

	// Tx takes a transaction that was asked for with RequestTxs.
	Tx(tx *wire.MsgTx)

	// NotFound takes the hashes of transactions and mixing messages that were asked
	// for and that the source does not have, never empty.
	NotFound(txs []chainhash.Hash)

	// Message takes a message of a MessageSource that was asked for with Send:
	// initstate, or a mixing message, whose Hash is set.
	Message(msg wire.Message)
}

// SourceStats are the counters of a source. Bytes are those on the wire.
type SourceStats struct {
	BytesIn, BytesOut int64

	Incoming int64 // bytes that have come of an answer that is not complete yet

	// Requests sent: messages of each command, and items in getdata.
	GetHeaders, GetCFsV2, GetCFilterV2, Blocks, Txs int64

	// Unsolicited counts filters, blocks and transactions that were never
	// asked for.
	Unsolicited int64

	Latency     time.Duration // of the last ping; 0 before the first answer
	LastMessage time.Time     // when the last message was complete
	Moved       time.Time     // when a byte of an answer last came
}

// plus returns the sums of the counters of two sources. Incoming, Latency,
// LastMessage and Moved are of one source and are left out.
func (s SourceStats) plus(o SourceStats) SourceStats {
	return SourceStats{
		BytesIn:      s.BytesIn + o.BytesIn,
		BytesOut:     s.BytesOut + o.BytesOut,
		GetHeaders:   s.GetHeaders + o.GetHeaders,
		GetCFsV2:     s.GetCFsV2 + o.GetCFsV2,
		GetCFilterV2: s.GetCFilterV2 + o.GetCFilterV2,
		Blocks:       s.Blocks + o.Blocks,
		Txs:          s.Txs + o.Txs,
		Unsolicited:  s.Unsolicited + o.Unsolicited,
	}
}

// SourceConfig is what all sources of a Syncer have in common.
type SourceConfig struct {
	// Params is the network.
	Params *chaincfg.Params

	// UserAgentName and UserAgentVersion are what the program says it is.
	UserAgentName, UserAgentVersion string

	// Relay is whether transactions that are in no block are wanted.
	Relay bool

	// MaxPVer is the highest protocol version to speak; 0 is ProtocolVersion.
	MaxPVer uint32

	// Height returns the height of our own tip.
	Height func() uint32

	// Accept may refuse a source: it is called once its info is known, before
	// anything else costs anything. Its error is returned as it is.
	Accept func(SourceInfo) error

	// Log is for messages about connections.
	Log slog.Logger
}

// OpenFunc opens a source by its address. It does what cfg says: Height is told to the
// source, and Accept is called. cfg is not changed, and may be kept. ctx is for opening it
// alone.
type OpenFunc func(ctx context.Context, addr string, cfg *SourceConfig) (Source, error)

// openPeer is the OpenFunc of the Decred protocol over connections that dial
// makes.
func openPeer(dial DialFunc) OpenFunc {
	nonces, line := new(peer.Nonces), new(peer.Line)
	return func(ctx context.Context, addr string, cfg *SourceConfig) (Source, error) {
		dialCtx, cancel := context.WithTimeout(ctx, dialTimeout)
		conn, err := dial(dialCtx, "tcp", addr)
		cancel()
		if err != nil {
			return nil, err
		}
		p, err := peer.Handshake(ctx, conn, addr, &peer.Config{
			Params:           cfg.Params,
			UserAgentName:    cfg.UserAgentName,
			UserAgentVersion: cfg.UserAgentVersion,
			Relay:            cfg.Relay,
			MaxPVer:          cfg.MaxPVer,
			Height:           cfg.Height,
			Accept:           func(info peer.Info) error { return cfg.Accept(SourceInfo(info)) },
			Nonces:           nonces,
			Line:             line,
			Log:              cfg.Log,
		})
		if err != nil {
			return nil, err
		}
		return node{p}, nil
	}
}

// node is a full node as a Source.
type node struct{ *peer.Peer }

func (n node) Info() SourceInfo   { return SourceInfo(n.Peer.Info()) }
func (n node) Stats() SourceStats { return SourceStats(n.Peer.Stats()) }

func (n node) Run(ctx context.Context, h SourceHandler) error { return n.Peer.Run(ctx, h) }
