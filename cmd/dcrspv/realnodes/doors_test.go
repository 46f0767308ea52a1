package realnodes

import (
	"context"
	"iter"
	"testing"

	"dcrspv/spv"

	"github.com/decred/dcrd/chaincfg/v3"
	"github.com/decred/dcrd/wire"
)

// testDoors embeds a Syncer that keeps nothing on the disk. It asks each node once for its
// initial state, and goes from one node to another.
func testDoors(t *testing.T, n *network) {
	s, err := spv.New(spv.Config{Params: chaincfg.SimNetParams(), Connect: n.P2P[:1]})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	next, stop := iter.Pull(s.Messages(ctx, wire.CmdInitState))
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	for node, addr := range n.P2P[:2] {
		if err := s.SetPeers(ctx, []string{addr}); err != nil {
			t.Fatal(err)
		}
		at := n.tipOf(t, node)
		for st := range s.Watch(ctx) {
			if st.Synced && st.Peers == 1 {
				checkTip(t, st, at)
				break
			}
		}
		ask := wire.NewMsgGetInitState()
		ask.AddTypes(wire.InitStateHeadBlocks, wire.InitStateTSpends)
		for range 2 { // dcrd bans for the second one, if it were sent
			if asked, err := s.Send(ctx, ask); asked != 1 || err != nil {
				t.Fatalf("%d were asked: %v", asked, err)
			}
		}
		m, ok := next()
		if !ok {
			t.Fatal("no initial state came")
		}
		if _, ok := m.Message.(*wire.MsgInitState); !ok || m.Peer != addr {
			t.Errorf("%T of %s", m.Message, m.Peer)
		}
	}
	eventually(t, "the first node is left", func() bool { return len(n.clientsOf(t, 0)) == 0 })
	peers, err := s.Peers(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range peers {
		if p.Connected != (p.Addr == n.P2P[1]) || !p.BannedUntil.IsZero() {
			t.Errorf("%s: connected %v, banned until %v", p.Addr, p.Connected, p.BannedUntil)
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
