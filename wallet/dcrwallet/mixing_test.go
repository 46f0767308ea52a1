package dcrwallet

import (
	"errors"
	"testing"

	"dcrspv/spv"
	"dcrspv/wallet/dcrwallet/internal/simnet"

	"github.com/decred/dcrd/wire"
)

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
