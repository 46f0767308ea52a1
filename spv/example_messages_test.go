package spv_test

import (
	"fmt"
	"log"

	"dcrspv/spv/spvtest"

	"github.com/decred/dcrd/wire"
)

// A program that mixes hears of the messages of others, and sends its own.
func ExampleSyncer_Messages() {
	c := spvtest.NewChain(nil)
	c.Mine(100)
	peer := spvtest.NewPeer(c, spvtest.Behaviour{})
	ctx, s, end := syncedWith(peer)
	defer end()

	messages := s.Messages(ctx, wire.CmdMixDCNet)
	vector := []wire.MixVect{make(wire.MixVect, 4)}
	peer.AnnounceMix(wire.NewMsgMixDCNet([33]byte{1}, [32]byte{}, 0, vector, nil))
	for m := range messages {
		fmt.Println(m.Message.Command(), "from", m.Peer)
		break // no others are wanted
	}

	mine := wire.NewMsgMixDCNet([33]byte{2}, [32]byte{}, 0, vector, nil)
	peers, err := s.Send(ctx, mine)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("announced to", peers, "peer")

	// Output:
	// mixdcnet from 10.0.0.1:18555
	// announced to 1 peer
}
