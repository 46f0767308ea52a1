package spv

import (
	"time"

	"github.com/decred/dcrd/chaincfg/chainhash"
)

// Phase is what the Syncer is mainly busy with. Stages overlap; the phase is
// the first one in this order that is not finished.
type Phase string

// The phases, in order.
const (
	Checking   Phase = "checking"   // chain.db is from elsewhere or was changed, and is verified
	Connecting Phase = "connecting" // no peer is connected
	Headers    Phase = "headers"    // a peer claims more headers than we have
	Filters    Phase = "filters"    // filters from the birthday to the tip are incomplete
	Scanning   Phase = "scan"       // some watched script has untested blocks
	InSync     Phase = "synced"
)

// Condition is something that Wait waits for.
type Condition int

const (
	// Synced holds while at least one peer is connected, no credible peer is
	// ahead, not all are on chains that part from ours more than 6 blocks below
	// its tip, the filters are complete and every watched script is tested to
	// the tip. It is computed from the state each time: it becomes false when
	// a new block is heard of, a script is added or all peers are lost, and
	// true again.
	Synced Condition = iota

	// Settled holds when Synced does and every connected peer has answered the
	// one getheaders that follows its sendheaders (or has taken more than 3
	// seconds). A peer on a branch with more work has had its say then.
	Settled
)

// Status is a snapshot of the Syncer. It is computed, not latched.
type Status struct {
	Network string
	Phase   Phase
	Synced  bool
	Settled bool

	Tip    BlockInfo
	Target uint32 // the highest height that a credible peer claims, never below Tip.Height

	Filters   Span   // filters held, contiguous from the birthday
	Scanned   Span   // blocks that every watched script was tested on, contiguous from the birthday
	Unscanned uint32 // blocks up to Target that some watched script is still to be tested on
	Peers     int

	Requests      Requests
	ReceivedBytes int64
	Seconds       Seconds

	Rate   float64       // blocks a second of the present phase; 0 is unknown
	ETA    time.Duration // of the present phase; 0 is unknown
	Reason string        // why not synced, in words; empty when synced

	// Trouble is the reason together with a remedy, once nothing has moved for a
	// while and waiting alone does not help: after some seconds, at once if it
	// can't be mistaken. It stays as it is until something moves or it is another
	// trouble. Before Run it is the last one of earlier runs, unless a sync has
	// succeeded since.
	Trouble Trouble

	// OldTip tells that the tip is from long before this computer's time although
	// no peer has more: on mainnet three hours, on the test network a day. Either
	// the clock is ahead, or the peers keep the newest blocks from us. The rest of
	// the status goes by what the peers have. The zero value is that it is not old.
	OldTip Trouble

	// FailedWallets are not kept in sync any more: those of this run that were not attached
	// again, oldest first, at most 64.
	FailedWallets []*WalletError

	CutOff []Cut // peers banned or cut off in this run, newest last, at most 64
}

// BlockInfo is a block of the best chain.
type BlockInfo struct {
	Height uint32
	Hash   chainhash.Hash
	Time   time.Time
}

// Span is a range of heights, both ends included. Any is false when it is
// empty.
type Span struct {
	From, Through uint32
	Any           bool
}

// Requests counts what was asked of peers in this run: getheaders messages,
// filter request messages (getcfsv2 or getcfilterv2), and blocks.
type Requests struct {
	Headers, Filters, Blocks int
}

// Seconds is how long this run took, and of that the phases until the first
// time it was synced.
type Seconds struct {
	Total, Headers, Filters, Scan float64
}

// Cut is a peer that was banned or cut off.
type Cut struct {
	Addr   string
	Reason string
	Time   time.Time
}

// commonSpan is the part that all added spans have.
type commonSpan struct {
	Span
	some bool // has been added
}

func (c *commonSpan) add(s Span) {
	if c.some {
		s = spanOf(max(c.From, s.From), min(c.Through, s.Through), c.Any && s.Any)
	}
	if s.From > s.Through {
		s = Span{}
	}
	c.Span, c.some = s, true
}
