package registry

// ErrorKind tells errors of this package apart, with errors.Is.
type ErrorKind string

// Error implements the error interface.
func (e ErrorKind) Error() string { return string(e) }

const (
	// ErrAddress is what is no host or, where one is needed, has no port. The
	// error names it.
	ErrAddress ErrorKind = "bad address"

	// ErrFull is an address for which there is no room: MaxPeers others are
	// connected, banned or persistent.
	ErrFull ErrorKind = "too many peers"

	// ErrBanned is a connection to a peer that is banned.
	ErrBanned ErrorKind = "peer is banned"

	// ErrQuota is a connection to a peer of an old protocol version, while the
	// slots that are left are for peers that send filters in batches.
	ErrQuota ErrorKind = "too many peers of an old version"

	// ErrUseless is for the owner to wrap the reason of a disconnect in, when the
	// peer did not give what was needed. It is not dialed again for 10 minutes,
	// unless it is persistent or nobody else is left (Relent).
	ErrUseless ErrorKind = "of no use"

	// ErrAway is for the owner to wrap the reason of a disconnect in, when this
	// process had stood still: nothing is held against the peer, and it is dialed
	// again at once.
	ErrAway ErrorKind = "this program stood still"

	// ErrState is an event that can't be: a connection that nobody dialed, a
	// second dial of the same address, an address that is not known.
	ErrState ErrorKind = "impossible in this state"

	// ErrIncompatible is for the owner to wrap the reason of a failed dial in,
	// when the peer is of no use at all: another network, not a full node,
	// ourselves. It is not dialed again for 24 hours, likewise.
	ErrIncompatible ErrorKind = "incompatible peer"

	// ErrRefused is for the owner to wrap the reason of a failed dial in, when it
	// has ended the connection in the handshake for another one than that.
	ErrRefused ErrorKind = "refused"

	// ErrOurs is for the owner to wrap the reason of a failed dial in, when nothing
	// was sent for want of something on this computer. It says nothing of the peer.
	ErrOurs ErrorKind = "this computer's fault"

	// ErrCorrupt is saved state that can't be read. The registry is as it was
	// before.
	ErrCorrupt ErrorKind = "corrupt peer data"

	// ErrNewer is saved state of a newer version. The registry is as it was
	// before, and Marshal fails with the same error, so that the newer state
	// is not overwritten.
	ErrNewer ErrorKind = "peer data of a newer version"
)
