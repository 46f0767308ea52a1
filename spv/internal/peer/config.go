package peer

import (
	"time"

	"dcrspv/spv/chain"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/chaincfg/v3"
	"github.com/decred/dcrd/wire"
	"github.com/decred/slog"
)

// Config is what all connections of a client have in common. It is not
// changed, and may be shared by any number of handshakes at once.
type Config struct {
	// Params is the network.
	Params *chaincfg.Params

	// UserAgentName and UserAgentVersion are told to the remote.
	UserAgentName, UserAgentVersion string

	// Relay asks the remote to announce transactions. Blocks are announced in
	// any case.
	Relay bool

	// MaxPVer is the highest protocol version to speak; 0 is ProtocolVersion.
	MaxPVer uint32

	// Height returns our own tip, for the version message. nil is 0.
	Height func() uint32

	// Accept may refuse a remote: it is called once the remote's version
	// message is known and has passed the checks of this package, before
	// anything else is sent. Its error ends the handshake and is returned as
	// it is. nil accepts everybody.
	Accept func(Info) error

	// Nonces holds the numbers in our own version messages, so that a
	// connection to ourselves is noticed. nil notices only an echo of this
	// very connection.
	Nonces *Nonces

	// Line is what the connections have together, so that none has to answer faster
	// than their line is. nil is a line for each.
	Line *Line

	// Log is for messages of this package; nil is silence.
	Log slog.Logger
}

// Info is what the remote told about itself in the handshake. Nothing of it is
// verified.
type Info struct {
	Addr       string           // as given to Handshake
	UserAgent  string           // printable, at most 128 characters
	PVer       uint32           // agreed protocol version, 9 or higher
	Services   wire.ServiceFlag // SFNodeNetwork is set
	Height     uint32           // tip of the remote; 0 if it said a negative number
	TimeOffset time.Duration    // remote clock minus ours, whole seconds
}

// Handler takes what arrives without being waited for. Its methods are called
// from Run, one at a time and in the order of arrival. They may block: nothing
// is read from this connection meanwhile. They must not wait for an answer of
// the same Peer, and should return soon after the context of Run has ended.
// Slices and messages belong to the Handler. One that keeps them for later has to
// bound how many bytes those are: at once a remote may send 12,000 items or
// headers, and 8 MiB of transactions.
type Handler interface {
	// Headers receives announcements, and after SendHeaders every headers
	// message, empty ones included.
	Headers(headers []chain.Header)

	// Inv receives announcements of blocks and transactions, never empty.
	Inv(inv []*wire.InvVect)

	// GetData receives requests for transactions that we announced, never
	// empty, and for ten items at most that were not. The answer is a Serve for
	// each, or NotFound.
	GetData(inv []*wire.InvVect)

	// Addrs receives addresses of other full nodes, as host:port, after
	// RequestAddrs: at most 1000 in all, each said to have been seen within
	// 24 hours. The host is an IP address or, from protocol version 12 on, an
	// onion address, which only a proxy can reach.
	Addrs(addrs []string)

	// Tx receives a transaction that was asked for with RequestTxs. Nothing
	// about it is verified but its hash.
	Tx(tx *wire.MsgTx)

	// NotFound receives the hashes of transactions that were asked for with
	// RequestTxs and that the remote does not have, never empty.
	NotFound(txs []chainhash.Hash)
}

// Stats are the counters of a connection. Bytes include message headers.
type Stats struct {
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

// ProtocolVersion is the protocol version in our version messages if Config.MaxPVer
// does not say another one: 11, the first with batches of filters.
const ProtocolVersion = wire.BatchedCFiltersV2Version

const minPVer = wire.RemoveRejectVersion // dcrd drops older ones too

// maxPVer returns the protocol version for our version message.
func (c *Config) maxPVer() uint32 {
	if c.MaxPVer == 0 {
		return ProtocolVersion
	}
	return min(c.MaxPVer, wire.ProtocolVersion)
}
