package spv

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"dcrspv/spv/internal/peer"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/wire"
)

// ErrMessage is a message that Send does not send.
var ErrMessage = errors.New("no message that can be sent")

// Send sends a message that the Syncer has no use for itself to the peers with these
// addresses, or to all that are connected if none are given. It does not wait for them,
// and returns how many there are that can take the message. The message must not be
// changed any more. It is one of
//
//   - a mixing message of at most 1 MiB: it is announced to peers of protocol version 10,
//     and whoever of these asks for it gets it, for as long as it is among the last 8 MiB
//     that were sent. Sent again, it is announced again. A key exchange goes with the
//     pair request that it refers to: send that first, again if need be;
//   - getdata of up to 500 mixing messages or transactions. The first peer is asked, and
//     the others one after the other if it does not have them. Mixing messages come to
//     Messages, transactions to Transactions and to wallets that hear of them. Nobody can
//     be asked before the initial sync is complete, nor with Config.NoRelay;
//   - getinitstate, which is answered with initstate. A peer gets it once; dcrd bans for
//     a second one.
//
// Anything else, and what can't be encoded, is ErrMessage. Other errors are ErrNotRunning
// and the one of ctx.
func (s *Syncer) Send(ctx context.Context, msg wire.Message, to ...string) (peers int, err error) {
	send, err := sender(msg)
	if err != nil {
		return 0, err
	}
	err = s.do(ctx, func(e *engine) {
		for _, session := range e.addressed(to) {
			if send(e, session) {
				peers++
			}
		}
	})
	return peers, err
}

// addressed returns the connected peers with some addresses, in this order; all for none.
func (e *engine) addressed(addrs []string) (sessions []*session) {
	if len(addrs) == 0 {
		for _, s := range e.sessions {
			sessions = append(sessions, s)
		}
	}
	for _, addr := range addrs {
		if s := e.sessions[addr]; s != nil {
			sessions = append(sessions, s)
		}
	}
	return sessions
}

// sender looks at a message and returns how to send it to a peer, which reports whether
// that can take it.
func sender(msg wire.Message) (func(*engine, *session) bool, error) {
	if getData, ok := msg.(*wire.MsgGetData); ok {
		return askSender(getData)
	}
	mixing := isMix(msg.Command())
	if _, ok := msg.(*wire.MsgGetInitState); !ok && !mixing {
		return nil, fmt.Errorf("%w: %s", ErrMessage, msg.Command())
	}
	var b bytes.Buffer
	if err := msg.BtcEncode(&b, wire.MixVersion); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMessage, err)
	}
	if b.Len() > peer.MaxMixMessage {
		return nil, fmt.Errorf("%w: %d bytes of %s", ErrMessage, b.Len(), msg.Command())
	}
	if !mixing {
		return func(_ *engine, s *session) bool { return pass(s, msg) }, nil
	}
	hash := chainhash.HashH(b.Bytes()) // what WriteHash hashes; that changes the message
	item := wire.NewInvVect(wire.InvTypeMix, &hash)
	inv := &wire.MsgInv{InvList: []*wire.InvVect{item}}
	return func(e *engine, s *session) bool {
		if s.peer.Info().PVer < wire.MixVersion {
			return false
		}
		offer := e.mixes.add(hash, msg, b.Len())
		e.relay.learn(*item) // it is not fetched from others
		if !pass(s, inv) {
			return false
		}
		offer.announced(s.addr)
		return true
	}, nil
}

// askSender is sender for getdata.
func askSender(msg *wire.MsgGetData) (func(*engine, *session) bool, error) {
	hashes := make(map[wire.InvType][]chainhash.Hash)
	for _, iv := range msg.InvList {
		hashes[iv.Type] = append(hashes[iv.Type], iv.Hash)
	}
	txs, mixes := hashes[wire.InvTypeTx], hashes[wire.InvTypeMix]
	if n := len(msg.InvList); n == 0 || n > maxRequestedTxs || len(txs)+len(mixes) < n {
		return nil, fmt.Errorf("%w: getdata of %d items", ErrMessage, n)
	}
	return func(e *engine, s *session) bool {
		_, passes := s.peer.(MessageSource)
		if !e.fetching() || len(mixes) > 0 && (!passes || s.peer.Info().PVer < wire.MixVersion) {
			return false
		}
		e.fetchAgain(s, wire.InvTypeTx, txs)
		e.fetchAgain(s, wire.InvTypeMix, mixes)
		return true
	}, nil
}

// pass sends a message to a peer that takes such messages.
func pass(s *session, msg wire.Message) bool {
	p, ok := s.peer.(MessageSource)
	return ok && p.Send(msg) == nil
}
