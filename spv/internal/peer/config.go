package peer

import (
	"github.com/decred/dcrd/chaincfg/v3"
	"github.com/decred/dcrd/wire"
	"github.com/decred/slog"
)

// Config is what all connections of a client have in common. It is not
// changed, and may be shared by any number of handshakes at once.
type Config struct {
	// Params is the network.
	Params *chaincfg.Params

	// UserAgentName and UserAgentVersion are sent to the remote.
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

	// Line is the line that the connections share, so that none has to answer faster
	// than the line allows. nil is a line for each.
	Line *Line

	// Log is for messages of this package; nil is silence.
	Log slog.Logger
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
