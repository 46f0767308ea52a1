package peer

import (
	"bytes"
	"fmt"
	"hash"
	"time"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/crypto/blake256"
	"github.com/decred/dcrd/wire"
)

// A light client has no use for mixing messages (protocol version 10) and initstate
// itself. They are passed on if they were asked for with Send.

// MaxMixMessage is the longest mixing message that is passed on, in bytes. The wire
// package allows 20 MB. The ciphertexts for 512 peers, the most a mix can have, take 553
// kB, and the longest transaction that nodes relay 100 kB.
const MaxMixMessage = 1 << 20

// MixMessage is a mixing message. Hash is right after WriteHash.
type MixMessage interface {
	wire.Message
	Hash() chainhash.Hash
	WriteHash(hash.Hash)
}

// passedMessage returns the message to decode a payload into that is passed on, or nil
// for any other command.
func passedMessage(command string) wire.Message {
	switch command {
	case wire.CmdInitState:
		return new(wire.MsgInitState)
	case wire.CmdMixPairReq:
		return new(wire.MsgMixPairReq)
	case wire.CmdMixKeyExchange:
		return new(wire.MsgMixKeyExchange)
	case wire.CmdMixCiphertexts:
		return new(wire.MsgMixCiphertexts)
	case wire.CmdMixSlotReserve:
		return new(wire.MsgMixSlotReserve)
	case wire.CmdMixFactoredPoly:
		return new(wire.MsgMixFactoredPoly)
	case wire.CmdMixDCNet:
		return new(wire.MsgMixDCNet)
	case wire.CmdMixConfirm:
		return new(wire.MsgMixConfirm)
	case wire.CmdMixSecrets:
		return new(wire.MsgMixSecrets)
	}
	return nil
}

// Passes reports whether messages of a command are passed on.
func Passes(command string) bool { return passedMessage(command) != nil }

// Send sends a message for whoever has a use for what is passed on, without waiting:
//
//   - inv announces up to 1000 mixing messages, as Announce does transactions;
//   - a mixing message is served, as Serve does a transaction;
//   - getdata asks for up to 500 mixing messages, as RequestTxs does for transactions;
//     each comes to Handler.Message or is named to Handler.NotFound;
//   - getinitstate asks for the state of the remote's memory pool, which comes to
//     Handler.Message. Only the first one is sent: dcrd ignores a second, or bans for it.
//
// Anything else, a message that can't be encoded, and a mixing message to a remote whose
// protocol version is below 10, is an ErrRequest. The message must not be changed any more.
func (p *Peer) Send(msg wire.Message) error {
	if _, initState := msg.(*wire.MsgGetInitState); !initState && p.pver.Load() < wire.MixVersion {
		return fmt.Errorf("%w: mixing at protocol version %d", ErrRequest, p.pver.Load())
	}
	switch msg := msg.(type) {
	case *wire.MsgInv:
		if !mixesOnly(msg.InvList, maxAnnounce) {
			return fmt.Errorf("%w: inv of %d items", ErrRequest, len(msg.InvList))
		}
		return p.send(msg)
	case *wire.MsgGetData:
		if !mixesOnly(msg.InvList, maxTxs) {
			return fmt.Errorf("%w: getdata of %d items", ErrRequest, len(msg.InvList))
		}
		for _, iv := range msg.InvList {
			p.txs().Put(iv.Hash)
		}
		return p.send(msg)
	case *wire.MsgGetInitState:
		var err error
		p.initState.Do(func() { err = p.send(msg) })
		return err
	case MixMessage:
		var b bytes.Buffer
		if err := msg.BtcEncode(&b, p.pver.Load()); err != nil {
			return fmt.Errorf("%w: %w", ErrRequest, err)
		}
		return p.send(measured{msg, int64(b.Len())})
	}
	return fmt.Errorf("%w: %T", ErrRequest, msg)
}

// mixesOnly reports whether a list is of mixing messages, at least one and not too many:
// dcrd bans for an empty one.
func mixesOnly(inv []*wire.InvVect, most int) bool {
	for _, iv := range inv {
		if iv.Type != wire.InvTypeMix {
			return false
		}
	}
	return len(inv) > 0 && len(inv) <= most
}

// measured is a message with its length in bytes.
type measured struct {
	wire.Message
	size int64
}

// onMix hands over a mixing message that was asked for.
func (p *Peer) onMix(msg MixMessage) error {
	msg.WriteHash(blake256.New())
	hash := msg.Hash()
	if !p.txs().Contains(hash) {
		p.allowance.unfit(classMix, time.Now())
		return nil
	}
	p.txs().Delete(hash)
	return p.callbacks.call(func(h Handler) { h.Message(msg) })
}
