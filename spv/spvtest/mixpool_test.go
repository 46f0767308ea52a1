package spvtest

import (
	"testing"

	"github.com/decred/dcrd/wire"
)

// Mixing messages are announced to who hears of such and speaks version 10, and are
// served and taken by their hashes.
func TestMixMessages(t *testing.T) {
	p := NewPeer(testChain(20), Behaviour{})
	wants := connect(t, p)
	deaf, old := dial(t, p), dial(t, p)
	deaf.handshake(11, true)
	old.handshake(9, false)
	for _, c := range []*wireClient{wants, deaf, old} {
		c.silent()
	}
	theirs := wire.NewMsgMixDCNet([33]byte{1}, [32]byte{}, 0, []wire.MixVect{{{7}}}, nil)
	ours := wire.NewMsgMixDCNet([33]byte{2}, [32]byte{}, 0, []wire.MixVect{{{7}}}, nil)
	hash, oursHash := mixHash(theirs), mixHash(ours)
	p.AnnounceMix(theirs)
	if inv := wants.next(wire.CmdInv).(*wire.MsgInv); *inv.InvList[0] != (wire.InvVect{Type: wire.InvTypeMix, Hash: hash}) {
		t.Errorf("announced %v", inv.InvList)
	}
	deaf.silent()
	old.silent()
	wants.write(getData(wire.InvTypeMix, hash))
	if got := wants.next(wire.CmdMixDCNet); mixHash(got) != hash {
		t.Errorf("got %v", got)
	}
	inv := wire.NewMsgInv()
	inv.AddInvVect(wire.NewInvVect(wire.InvTypeMix, &oursHash))
	inv.AddInvVect(wire.NewInvVect(wire.InvTypeMix, &hash)) // known already
	wants.write(inv)
	if get := wants.next(wire.CmdGetData).(*wire.MsgGetData); len(get.InvList) != 1 || get.InvList[0].Hash != oursHash {
		t.Errorf("asked for %v", get.InvList)
	}
	wants.write(ours, ours)
	wants.silent()
	if taken := p.TakenMixes(); len(taken) != 1 || mixHash(taken[0]) != oursHash {
		t.Errorf("%d messages taken", len(taken))
	}
}
