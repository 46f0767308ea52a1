package peer

import (
	"time"

	"github.com/decred/dcrd/wire"
)

// Info is what the remote said about itself in the handshake. Nothing of it is
// verified.
type Info struct {
	Addr       string           // as given to Handshake
	UserAgent  string           // printable, at most 128 characters
	PVer       uint32           // agreed protocol version, 9 or higher
	Services   wire.ServiceFlag // SFNodeNetwork is set
	Height     uint32           // tip of the remote; 0 if it said a negative number
	TimeOffset time.Duration    // remote clock minus ours, whole seconds
}

// identity is what the remote said about itself. It is fixed by the handshake.
type identity struct {
	info Info
	met  time.Time // when it said its time
}

// introduce notes the version message.
func (r *identity) introduce(msg *wire.MsgVersion, maxPVer uint32, now time.Time) {
	r.met = now
	r.info = Info{
		Addr:       r.info.Addr,
		UserAgent:  cleanUserAgent(msg.UserAgent),
		PVer:       min(uint32(max(msg.ProtocolVersion, 0)), maxPVer),
		Services:   msg.Services,
		Height:     uint32(max(msg.LastBlock, 0)),
		TimeOffset: msg.Timestamp.Sub(now).Round(time.Second),
	}
}

// clock is the time that the remote's clock shows now, by its own word.
func (r *identity) clock() time.Time {
	return r.met.Round(0).Add(r.info.TimeOffset).Add(time.Since(r.met))
}
