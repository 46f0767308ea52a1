package dcrwallet

import (
	"errors"
	"testing"

	"dcrspv/spv"
	"dcrspv/wallet/dcrwallet/internal/simnet"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/crypto/blake256"
	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/decred/dcrd/mixing"
	"github.com/decred/dcrd/wire"
)

// Messages of mixing that peers announce come into the wallet's pool, if they are right.
func TestMixMessages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.show()
	c := w.newClient(t, "wallet.db")
	c.mixing = true
	c.start(t)
	w.check(t, c)
	key, err := secp256k1.GeneratePrivateKey()
	if err != nil {
		t.Fatal(err)
	}
	identity := [33]byte(key.PubKey().SerializeCompressed())
	coins := []wire.MixPairReqUTXO{{PubKey: identity[:], Signature: make([]byte, 64)}} // not looked at
	request, err := wire.NewMsgMixPairReq(identity, w.c.Height()+100, 1e8, string(mixing.ScriptClassP2PKHv0),
		1, 0, 1, 1e8+4000, coins, nil, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	forged := *request
	if err := mixing.SignMessage(request, key); err != nil {
		t.Fatal(err)
	}
	peer := w.net.Peer(worldPeers[1])
	peer.AnnounceMix(&forged)
	peer.AnnounceMix(request)
	wallet := c.on[0].w
	hash := hashOfMix(t, request)
	simnet.Eventually(t, "pair request in the pool", func() bool {
		_, err := wallet.MixMessage(&hash)
		return err == nil
	})
	hash = hashOfMix(t, &forged)
	if _, err := wallet.MixMessage(&hash); err == nil {
		t.Error("a forged one is in the pool")
	}
}

// hashOfMix is the hash of a message of mixing.
func hashOfMix(t *testing.T, msg mixing.Message) chainhash.Hash {
	t.Helper()
	h := blake256.New()
	msg.WriteHash(h)
	return msg.Hash()
}

// Messages of mixing go to peers, and an error tells if there are none.
func TestPublishMixMessages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.show()
	c := w.newClient(t, "wallet.db")
	c.start(t)
	w.check(t, c)
	msg := wire.NewMsgMixDCNet([33]byte{1}, [32]byte{}, 0, []wire.MixVect{{{7}}}, nil)
	if err := c.on[0].PublishMixMessages(t.Context(), msg); err != nil {
		t.Fatal(err)
	}
	peer := w.net.Peer(worldPeers[0])
	simnet.Eventually(t, "message at a peer", func() bool { return len(peer.TakenMixes()) == 1 })
	w.net.Close()
	simnet.Eventually(t, "error without peers", func() bool {
		return errors.Is(c.on[0].PublishMixMessages(t.Context(), msg), spv.ErrNoPeers)
	})
}
