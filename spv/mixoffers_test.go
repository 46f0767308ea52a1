package spv_test

import (
	"testing"
	"testing/synctest"
	"time"

	"dcrspv/spv"
	"dcrspv/spv/spvtest"

	"github.com/decred/dcrd/wire"
)

// A peer gets the mixing messages that were announced to it, also if it asks late, and no
// others: it is told that they are not there. The last 8 MiB are kept.
// Rule 20.
func TestMixMessagesOnOffer(t *testing.T) {
	story(t, 50, func(w *world) {
		var missing int
		deaf := map[string]bool{wire.CmdInv: true}
		count := func(_ *spvtest.Client, msg wire.Message) bool {
			if m, ok := msg.(*wire.MsgNotFound); ok {
				missing += len(m.InvList)
			}
			return false
		}
		w.join(spvtest.Behaviour{Silent: deaf, Hook: count})
		w.join(spvtest.Behaviour{Silent: deaf, Hook: count})
		w.start()
		w.wait(spv.Settled)
		for i := range 10 {
			w.send(dcNet(byte(i), 1000), 1, w.addrs[0])
		}
		for _, p := range w.peers {
			for i := range 10 {
				p.Send(getData(wire.InvTypeMix, hashOf(*dcNet(byte(i), 1000))))
				w.pass(time.Second)
			}
		}
		if a, b := len(w.peers[0].TakenMixes()), len(w.peers[1].TakenMixes()); a != 8 || b != 0 || missing != 12 {
			t.Errorf("%d and %d were served, %d were not found", a, b, missing)
		}
		w.send(dcNet(0, 1000), 1, w.addrs[0])
		w.peers[0].Send(getData(wire.InvTypeMix, hashOf(*dcNet(0, 1000))))
		synctest.Wait()
		if a := len(w.peers[0].TakenMixes()); a != 9 {
			t.Errorf("what was sent again was not served")
		}
		w.send(dcNet(1, 1000), 2)
	})
}
