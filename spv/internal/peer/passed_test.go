package peer

import (
	"bytes"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/crypto/blake256"
	"github.com/decred/dcrd/wire"
)

// passedMessages is one of each kind.
func passedMessages() []wire.Message {
	id, sid := [33]byte{1}, [32]byte{2}
	seen := []chainhash.Hash{{3}, {4}}
	value := [][]byte{{5}, {6}}
	vects := []wire.MixVect{{{7}}}
	utxo := wire.MixPairReqUTXO{Script: []byte{8}, PubKey: make([]byte, 33), Signature: make([]byte, 64)}
	pr, err := wire.NewMsgMixPairReq(id, 100, 1e8, "P2PKH-secp256k1-v0", 1, 0, 1, 2e8, []wire.MixPairReqUTXO{utxo}, nil, 1, 1)
	if err != nil {
		panic(err)
	}
	cm := wire.NewMsgMixConfirm(id, sid, 0, wire.NewMsgTx(), seen)
	state, err := wire.NewMsgInitStateFilled(seen, seen, seen)
	if err != nil {
		panic(err)
	}
	return []wire.Message{
		pr,
		wire.NewMsgMixKeyExchange(id, sid, 1, 0, 0, [33]byte{9}, [1218]byte{}, [32]byte{}, seen),
		wire.NewMsgMixCiphertexts(id, sid, 0, [][1047]byte{{}, {}}, seen),
		wire.NewMsgMixSlotReserve(id, sid, 0, [][][]byte{value}, seen),
		wire.NewMsgMixFactoredPoly(id, sid, 0, value, seen),
		wire.NewMsgMixDCNet(id, sid, 0, vects, seen),
		cm,
		wire.NewMsgMixSecrets(id, sid, 0, [32]byte{}, value, vects[0]),
		state,
	}
}

// mixMessages is one of each kind, with their hashes in a list.
func mixMessages() (msgs []MixMessage, inv []*wire.InvVect) {
	for _, msg := range passedMessages() {
		if m, ok := msg.(MixMessage); ok {
			m.WriteHash(blake256.New())
			hash := m.Hash()
			msgs, inv = append(msgs, m), append(inv, wire.NewInvVect(wire.InvTypeMix, &hash))
		}
	}
	return msgs, inv
}

// Mixing messages of every kind that were asked for come through, once and with their
// hashes; others are skipped, asked for or not.
func TestMixMessagesAreAskedFor(t *testing.T) {
	conversation(t, remoteVersion(), func(t *testing.T, p *Peer, r *remote, l *log) {
		msgs, inv := mixMessages()
		r.send(msgs[0])
		wantError(t, p.Send(&wire.MsgGetData{InvList: inv[1:]}), nil)
		if got := expect[*wire.MsgGetData](r).InvList; len(got) != len(msgs)-1 || *got[0] != *inv[1] {
			t.Errorf("asked for %v", got)
		}
		r.send(msgs[0])
		for _, msg := range msgs[2:] {
			r.send(msg, msg)
		}
		r.send(&wire.MsgNotFound{InvList: inv})
		synctest.Wait()
		var got, want []chainhash.Hash
		for _, msg := range l.passed {
			got = append(got, msg.(MixMessage).Hash())
		}
		for _, msg := range msgs[2:] {
			want = append(want, msg.Hash())
		}
		if !slices.Equal(got, want) {
			t.Errorf("%d messages came through, want %d", len(got), len(want))
		}
		if !slices.Equal(l.missing, []chainhash.Hash{inv[1].Hash}) {
			t.Errorf("not found: %v", l.missing)
		}
		if s := p.Stats(); s.Blocks != 0 || s.Txs != 0 {
			t.Errorf("they count as blocks or transactions: %+v", s)
		}
	})
}

// The remote may ask for each mixing message that was announced to it, and gets it or is
// told that it is not there.
func TestMixMessagesAreServed(t *testing.T) {
	conversation(t, remoteVersion(), func(t *testing.T, p *Peer, r *remote, l *log) {
		msgs, inv := mixMessages()
		wantError(t, p.Send(&wire.MsgInv{InvList: inv}), nil)
		expect[*wire.MsgInv](r)
		for range 3 {
			wantError(t, p.Send(&wire.MsgInv{InvList: inv}), nil)
			expect[*wire.MsgInv](r)
			r.send(&wire.MsgGetData{InvList: inv}) // each is good for one request
			synctest.Wait()
		}
		if len(l.getData) != 3*len(inv) {
			t.Errorf("the handler is asked for %d", len(l.getData))
		}
		for _, msg := range msgs {
			wantError(t, p.Send(msg), nil)
			if got, ok := expect[wire.Message](r).(MixMessage); !ok || got.Command() != msg.Command() {
				t.Errorf("%T for a %T", got, msg)
			}
		}
		wantError(t, p.NotFound(inv), nil)
		if got := expect[*wire.MsgNotFound](r).InvList; len(got) != len(inv) {
			t.Errorf("%d are not found", len(got))
		}
	})
}

// The state of the remote's memory pool is asked for once in a connection: dcrd ignores
// a second request, or bans for it. One that nobody asked for is skipped.
func TestInitStateIsAskedForOnce(t *testing.T) {
	conversation(t, remoteVersion(), func(t *testing.T, p *Peer, r *remote, l *log) {
		state := passedMessages()[8]
		r.send(state)
		ask := wire.NewMsgGetInitState()
		wantError(t, ask.AddTypes(wire.InitStateTSpends), nil)
		wantError(t, p.Send(ask), nil)
		expect[*wire.MsgGetInitState](r)
		wantError(t, p.Send(ask), nil)
		r.expectNothing()
		r.send(state, state)
		synctest.Wait()
		if len(l.passed) != 1 {
			t.Errorf("%d came through", len(l.passed))
		}
	})
}

// What a node would ban for is not sent, nor what can't be encoded, which would end the
// connection.
func TestSendRefuses(t *testing.T) {
	_, inv := mixMessages()
	_, hs := transactions(1)
	for name, msg := range map[string]wire.Message{
		"empty inv":           new(wire.MsgInv),
		"empty getdata":       new(wire.MsgGetData),
		"too much announced":  &wire.MsgInv{InvList: slices.Repeat(inv[:1], maxAnnounce+1)},
		"too much asked for":  &wire.MsgGetData{InvList: slices.Repeat(inv[:1], maxTxs+1)},
		"transactions":        &wire.MsgInv{InvList: txInvs(hs)},
		"blocks":              &wire.MsgGetData{InvList: invMsg(1).InvList},
		"what is ours":        wire.NewMsgMemPool(),
		"what has no content": new(wire.MsgMixSlotReserve),
	} {
		t.Run(name, func(t *testing.T) {
			conversation(t, remoteVersion(), func(t *testing.T, p *Peer, r *remote, _ *log) {
				wantError(t, p.Send(msg), ErrRequest)
				r.expectNothing()
			})
		})
	}
	old := remoteVersion()
	old.ProtocolVersion = int32(wire.MixVersion) - 1
	conversation(t, old, func(t *testing.T, p *Peer, r *remote, _ *log) {
		wantError(t, p.Send(&wire.MsgInv{InvList: inv}), ErrRequest)
		wantError(t, p.Send(wire.NewMsgGetInitState()), nil)
		expect[*wire.MsgGetInitState](r)
	})
}

// A mixing message that was asked for is read up to 1 MiB, and no remote sends more of
// them than a node has reason to, too long ones included.
// Rules 20 and 21.
func TestMixMessagesAreBounded(t *testing.T) {
	for _, c := range []struct {
		length, burst int
		read          bool
	}{{100, 335_544, true}, {MaxMixMessage, 32, true}, {MaxMixMessage + 1, 31, false}, {20 << 20, 1, false}} {
		a := aged()
		a.expect(&wire.MsgGetData{InvList: slices.Repeat([]*wire.InvVect{{Type: wire.InvTypeMix}}, c.burst+1)})
		for i := range c.burst {
			if read, err := a.admit(wire.CmdMixDCNet, c.length, noon); err != nil || read != c.read {
				t.Fatalf("message %d of %d bytes: read %v, %v", i, c.length, read, err)
			}
		}
		_, err := a.admit(wire.CmdMixDCNet, c.length, noon)
		wantError(t, err, ErrFlood)
	}
}

// What is passed on is no longer than its command can have, which is decided before a
// byte of it has come.
// Rule 21.
func TestPassedLengthIsBoundedByCommand(t *testing.T) {
	for _, msg := range passedMessages() {
		limit := msg.MaxPayloadLength(wire.MixVersion)
		for _, length := range []uint32{min(limit, MaxMixMessage), limit + 1} {
			running(t, new(log), func(t *testing.T, p *Peer, r *remote, end <-chan answer[any]) {
				p.expectAll()
				r.out <- claim(msg.Command(), length)
				synctest.Wait()
				ended, skipped := len(end) > 0, length > MaxMixMessage
				if ended != (length > limit && !skipped) {
					t.Errorf("%s of %d bytes: ended is %v", msg.Command(), length, ended)
				}
				p.Close(nil)
				<-end
			})
		}
	}
}

// What is queued for a remote counts with its length.
// Rule 20.
func TestMixMessagesQueuedCount(t *testing.T) {
	msgs, _ := mixMessages()
	for _, msg := range msgs {
		var b bytes.Buffer
		if err := msg.BtcEncode(&b, wire.MixVersion); err != nil {
			t.Fatal(err)
		}
		if got := queuedSize(measured{msg, int64(b.Len())}); got < int64(b.Len()) {
			t.Errorf("%s of %d bytes counts %d", msg.Command(), b.Len(), got)
		}
	}
}
