package spvtest

import (
	"net/netip"
	"time"

	"github.com/decred/dcrd/wire"
)

// Behaviour is what a peer does differently from an honest, fast, complete dcrd
// 2.1.3; the zero value is that. Maps and slices in it must not be changed once
// a peer has it: use [Peer.SetBehaviour] with another.
type Behaviour struct {
	// What the peer says about itself in its version message.

	AdvertisedHeight int32            // 0: the height that it serves
	PVer             uint32           // protocol version; 0: 11. Below 11, asking for a batch of filters is a violation
	Services         wire.ServiceFlag // 0: SFNodeNetwork; NoServices for none
	UserAgent        string           // "": that of dcrd 2.1.3
	ClockAhead       time.Duration    // how far the time that it tells is ahead of the right one
	Addrs            []netip.AddrPort // of other peers, told to who asks (getaddr)

	// How well it works.

	Latency     time.Duration   // from a request to the first byte of its answer
	Bandwidth   int             // bytes per second and client; 0: no limit
	Lag         uint32          // blocks at the end of its chain that it doesn't have yet
	Silent      map[string]bool // commands that it accepts and never answers; "*": all
	NotFound    bool            // answers every getdata with notfound
	NoAnnounce  bool            // keeps new blocks to itself
	DialLatency time.Duration   // until a connection is made, or refused

	// How it refuses.

	RefuseConnections bool            // connection refused
	BlackHole         bool            // neither accepts nor refuses a connection
	SilentHandshake   bool            // accepts, then never says a word
	DropAfter         int             // closes on the n-th message of a connection
	DropOn            map[string]bool // closes on these commands

	// How it lies. A height limits a lie to that block; 0 applies it to the
	// last header of every answer, or to every filter. BadFilterBelow, if not
	// 0, limits the lies about filters to blocks below that height.

	BadHeaders     HeaderFault
	BadHeaderAt    uint32
	BadFilters     FilterFault
	BadFilterAt    uint32
	BadFilterBelow uint32
	BadBlocks      BlockFault

	// What it sends that nobody asked for, once the handshake is done.

	InvFlood    int              // so many inv messages of 1000 unknown blocks each
	Unsolicited []wire.Message   // these
	Garbage     []byte           // these bytes, outside of any message
	Magic       wire.CurrencyNet // network magic of its messages; 0: the right one

	// Hook sees every message after the handshake first. If it returns true,
	// the peer leaves the message at that. It is called on the goroutine that
	// reads for this client, so it must not wait for the client to end: Close of
	// the peer or its network does.
	Hook func(c *Client, msg wire.Message) (handled bool)
}

// NoServices makes a peer announce no services at all, not even blocks.
const NoServices wire.ServiceFlag = 1 << 63

// HeaderFault is something wrong in an answer to getheaders.
type HeaderFault int

const (
	HeadersRight       HeaderFault = iota
	HeadersBadPoW                  // not enough work for the header's bits
	HeadersOldPoW                  // enough work by blake256, the hash function before DCP0011, none by blake3
	HeadersWrongBits               // a harder target than the rules ask for, and work that meets it
	HeadersWrongPrice              // an atom added to the ticket price
	HeadersWrongVotes              // fewer votes than a majority, or votes before there can be any
	HeadersFuture                  // a day later than the block before
	HeadersPast                    // as old as the genesis block
	HeadersWrongLink               // the parent is another block
	HeadersWrongHeight             // the height of another block
	HeadersUnlinked                // right headers from another place in the chain
	HeadersEndless                 // behind the tip, another 2000 blocks with every answer
)

// FilterFault is something wrong in an answer to getcfilterv2 or getcfsv2.
type FilterFault int

const (
	FiltersRight   FilterFault = iota
	FiltersFlipped             // a bit of the filter is wrong
	FiltersEmpty               // the filter of a block without scripts
	FiltersShort               // the last filter of the answer is missing; no answer if it is the only one
	FiltersSwapped             // the filter of the block before
	FiltersForeign             // claims to be for another block
	FiltersProof               // a commitment proof with a hash too many
)

// BlockFault is something wrong in a block that was asked for.
type BlockFault int

const (
	BlocksRight     BlockFault = iota
	BlocksDropTx               // the last transaction is missing
	BlocksDoubleTx             // the last regular transaction is in it twice
	BlocksChangedTx            // an amount is changed
	BlocksOther                // the block before, in place of the one asked for
	BlocksUnasked              // the right block, and then another
)
