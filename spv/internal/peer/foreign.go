package peer

import (
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/decred/dcrd/chaincfg/v3"
)

// magicSize is the size of what a message begins with: the number of its network.
const magicSize = 4

// NetworkError is an ErrNetwork: the name of the network that a remote is on, as
// package chaincfg has it.
type NetworkError string

// Error implements the error interface.
func (e NetworkError) Error() string { return fmt.Sprintf("%s: %s", ErrNetwork, string(e)) }

// Is makes it an ErrNetwork.
func (e NetworkError) Is(target error) bool { return target == ErrNetwork }

// foreignError is the error of a message that begins as none of our network does.
func foreignError(begin [magicSize]byte) error {
	return fmt.Errorf("%w: %w", ErrProtocol, foreign(begin))
}

// foreign tells from its first bytes what a remote speaks. They are enough: no
// other Decred network begins as HTTP, HTML or a TLS record do.
func foreign(begin [magicSize]byte) error {
	for _, params := range []*chaincfg.Params{
		chaincfg.MainNetParams(), chaincfg.TestNet3Params(), chaincfg.SimNetParams(), chaincfg.RegNetParams(),
	} {
		if uint32(params.Net) == binary.LittleEndian.Uint32(begin[:]) {
			return NetworkError(params.Name)
		}
	}
	// A TLS record has a type, 21 of an alert, and a version, 3 and the minor one
	// (RFC 8446, 5.1 and 6). Its length is 2, so the next byte is zero.
	alert := begin[0] == 21 && begin[1] == 3 && begin[3] == 0
	text := strings.ToLower(string(begin[:]))
	if alert || text == "http" || text == "<htm" || text == "<!do" {
		return ErrWebServer
	}
	return fmt.Errorf("%w: it begins with %q", ErrNotDecred, begin[:])
}
