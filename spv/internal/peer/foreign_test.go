package peer

import (
	"errors"
	"strings"
	"testing"

	"github.com/decred/dcrd/chaincfg/v3"
	"github.com/decred/dcrd/wire"
)

// What a remote speaks shows in its first four bytes, and no more are waited for.
// Rule 24.
func TestWhatARemoteSpeaks(t *testing.T) {
	magic := func(params *chaincfg.Params) string {
		return string(encode(t, wire.NewMsgVerAck(), params.Net)[:magicSize])
	}
	for begin, want := range map[string]error{
		magic(chaincfg.MainNetParams()):  NetworkError("mainnet"),
		magic(chaincfg.TestNet3Params()): NetworkError("testnet3"),
		magic(chaincfg.RegNetParams()):   NetworkError("regnet"),
		"HTTP/1.1 400 Bad Request\r\n":   ErrWebServer,
		"HTTP":                           ErrWebServer,
		"<html><body>Log in</body>":      ErrWebServer,
		"<!DOCTYPE html>":                ErrWebServer,
		"\x15\x03\x01\x00\x02\x02\x46":   ErrWebServer, // alert: protocol version
		"\x16\x03\x01\x00":               ErrNotDecred, // another TLS record
		"SSH-2.0-OpenSSH":                ErrNotDecred,
		"\xf9\xbe\xb4\xd9version":        ErrNotDecred, // Bitcoin
		"\x00\x00\x00\x00":               ErrNotDecred,
	} {
		err := foreignError([magicSize]byte([]byte(begin)))
		if !errors.Is(err, want) || !errors.Is(err, ErrProtocol) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v, want %v", begin, err, want)
		}
		if errors.Is(err, ErrNetwork) != errors.As(want, new(NetworkError)) {
			t.Errorf("%q: %v", begin, err)
		}
	}
}

// No more than those bytes are waited for: a web server may say little.
func TestForeignRemoteIsRefusedAtOnce(t *testing.T) {
	for begin, want := range map[string]error{"HTTP": ErrWebServer, "\x15\x03\x01\x00\x02\x02\x46": ErrWebServer, "SSH-": ErrNotDecred} {
		received := refused(t, testConfig(), func(r *remote, _ *wire.MsgVersion) { r.out <- []byte(begin) }, want)
		if len(received) != 0 {
			t.Errorf("%q got %T", begin, received[0])
		}
	}
}
