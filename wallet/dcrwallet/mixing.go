package dcrwallet

import (
	"context"
	"errors"
	"hash/maphash"

	"dcrspv/spv"

	"github.com/decred/dcrd/mixing"
	"github.com/decred/dcrd/mixing/mixpool"
	"github.com/decred/dcrd/wire"
)

// PublishMixMessages announces messages of mixing to peers that take them. The error is
// spv.ErrNoPeers if there are none, or one of spv.Syncer.Send.
func (b *Backend) PublishMixMessages(ctx context.Context, msgs ...mixing.Message) error {
	for _, msg := range msgs {
		if ke, ok := msg.(*wire.MsgMixKeyExchange); ok && int(ke.Pos) < len(ke.SeenPRs) {
			// Who hears of the key exchange first asks for the pair request that it names.
			if request, err := b.w.MixMessage(&ke.SeenPRs[ke.Pos]); err == nil {
				if _, err := b.s.Send(ctx, request); err != nil {
					return err
				}
			}
		}
		peers, err := b.s.Send(ctx, msg)
		if err != nil {
			return err
		}
		if peers == 0 {
			return spv.ErrNoPeers
		}
	}
	return nil
}

// listenMixing hands the wallet the messages of mixing that peers announce.
func (b *Backend) listenMixing(ctx context.Context) error {
	if !b.w.MixingEnabled() {
		return nil
	}
	seed := maphash.MakeSeed()
	for m := range b.s.Messages(ctx) {
		msg, ok := m.Message.(mixing.Message)
		if !ok {
			continue
		}
		err := b.w.AcceptMixMessageBySource(msg, mixpool.Uint64Source(maphash.String(seed, m.Peer)))
		var missing *mixpool.MissingOwnPRError
		switch {
		case errors.As(err, &missing):
			if err := b.askMixing(ctx, m.Peer, missing); err != nil {
				return err
			}
		case err != nil:
			b.cfg.Log.Debugf("Message of mixing from %s: %v", m.Peer, err)
		}
	}
	return ctx.Err()
}

// askMixing asks a peer for the pair request that a key exchange of its names. It comes as
// any other message.
func (b *Backend) askMixing(ctx context.Context, peer string, missing *mixpool.MissingOwnPRError) error {
	get := wire.NewMsgGetData()
	if err := get.AddInvVect(wire.NewInvVect(wire.InvTypeMix, &missing.MissingPR)); err != nil {
		return err
	}
	_, err := b.s.Send(ctx, get, peer)
	return err
}
