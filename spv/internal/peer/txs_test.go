package peer

import (
	"slices"
	"testing"
	"testing/synctest"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/wire"
)

// transactions returns n different ones and their hashes.
func transactions(n int) (txs []*wire.MsgTx, hs []chainhash.Hash) {
	for i := range n {
		tx := wire.NewMsgTx()
		tx.LockTime = uint32(i)
		txs, hs = append(txs, tx), append(hs, tx.TxHash())
	}
	return txs, hs
}

func hashesOf(t *testing.T, invs []*wire.InvVect) []chainhash.Hash {
	t.Helper()
	var hs []chainhash.Hash
	for _, inv := range invs {
		if inv.Type != wire.InvTypeTx {
			t.Errorf("item of type %v", inv.Type)
		}
		hs = append(hs, inv.Hash)
	}
	return hs
}

func TestAnnounceAndServe(t *testing.T) {
	conversation(t, remoteVersion(), func(t *testing.T, p *Peer, r *remote, l *log) {
		txs, hs := transactions(3)
		wantError(t, p.Announce(nil), nil) // an empty inv is a ban
		r.expectNothing()
		wantError(t, p.Announce(make([]chainhash.Hash, 1001)), ErrRequest)
		mine := slices.Clone(hs)
		wantError(t, p.Announce(mine), nil)
		clear(mine) // the caller's again
		if got := hashesOf(t, expect[*wire.MsgInv](r).InvList); !slices.Equal(got, hs) {
			t.Errorf("announced %v", got)
		}

		r.send(&wire.MsgGetData{InvList: txInvs(hs)})
		synctest.Wait()
		if got := hashesOf(t, l.getData); !slices.Equal(got, hs) {
			t.Errorf("the handler is asked for %v", got)
		}
		wantError(t, p.Serve(txs[1]), nil)
		if got := expect[*wire.MsgTx](r).TxHash(); got != hs[1] {
			t.Errorf("served %v", got)
		}
	})
}

// A remote may ask at once for all that we have announced, and reads it when it
// likes; one that asks on without reading is cut off.
func TestServeMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, theirs := unread(t)
		ended := call(func() (any, error) { return nil, p.Run(t.Context(), new(log)) })
		txs, hs := transactions(1000)
		for _, tx := range txs {
			wantError(t, p.Serve(tx), nil)
		}
		for range 64 {
			wantError(t, p.Send(wire.NewMsgPong(0)), nil)
		}
		for i := range hs {
			msg, _, err := wire.ReadMessage(theirs, wire.ProtocolVersion, simnet.Net)
			if err != nil || msg.(*wire.MsgTx).TxHash() != hs[i] {
				t.Fatalf("transaction %d: %v, %v", i, msg, err)
			}
		}
		for range 64 {
			if _, _, err := wire.ReadMessage(theirs, wire.ProtocolVersion, simnet.Net); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		for range 1065 { // one of them is being written
			wantError(t, p.Serve(txs[0]), nil)
			synctest.Wait()
		}
		wantError(t, p.Serve(txs[0]), ErrOverflow)
		wantError(t, (<-ended).err, ErrOverflow)
	})
}

// dcrd bans a client that says notfound of more than five blocks, or of more than
// ten transactions at a time.
func TestNotFoundIsNoBan(t *testing.T) {
	conversation(t, remoteVersion(), func(t *testing.T, p *Peer, r *remote, _ *log) {
		_, hs := transactions(11)
		blocks := invMsg(6).InvList
		wantError(t, p.NotFound(nil), nil)
		wantError(t, p.NotFound(blocks), nil)
		r.expectNothing()
		wantError(t, p.NotFound(append(blocks, txInvs(hs)...)), nil)
		if got := hashesOf(t, expect[*wire.MsgNotFound](r).InvList); !slices.Equal(got, hs[:10]) {
			t.Errorf("not found: %v", got)
		}
	})
}

// Transactions come in any order, each once; those that were not asked for do
// not come through.
func TestRequestTxs(t *testing.T) {
	conversation(t, remoteVersion(), func(t *testing.T, p *Peer, r *remote, l *log) {
		txs, hs := transactions(6)
		r.send(txs[0])
		synctest.Wait()
		for _, part := range [][]chainhash.Hash{hs[:2], hs[2:5]} {
			wantError(t, p.RequestTxs(part), nil)
			if got := hashesOf(t, expect[*wire.MsgGetData](r).InvList); !slices.Equal(got, part) {
				t.Errorf("asked for %v", got)
			}
		}
		r.send(txs[4], txs[0], txs[5], txs[3], txs[3])
		sameHash := wire.NewInvVect(wire.InvTypeBlock, &hs[2])
		r.send(&wire.MsgNotFound{InvList: append([]*wire.InvVect{sameHash}, txInvs(hs[:4])...)})
		r.send(txs[1], &wire.MsgNotFound{InvList: txInvs(hs)})
		synctest.Wait()
		if !slices.Equal(hashesOfTxs(l.txs), []chainhash.Hash{hs[4], hs[0], hs[3]}) {
			t.Errorf("transactions %v", hashesOfTxs(l.txs))
		}
		if !slices.Equal(l.missing, hs[1:3]) {
			t.Errorf("not found: %v", l.missing)
		}
		if s := p.Stats(); s.Unsolicited != 4 || s.Txs != 5 || s.Blocks != 0 {
			t.Errorf("stats %+v", s)
		}
	})
}

func hashesOfTxs(txs []*wire.MsgTx) (hs []chainhash.Hash) {
	for _, tx := range txs {
		hs = append(hs, tx.TxHash())
	}
	return hs
}

// Rules 20 and 21.
func TestRequestTxsIsBounded(t *testing.T) {
	conversation(t, remoteVersion(), func(t *testing.T, p *Peer, r *remote, _ *log) {
		_, hs := transactions(20 * maxTxs)
		wantError(t, p.RequestTxs(nil), ErrRequest) // an empty getdata is a ban
		wantError(t, p.RequestTxs(hs[:maxTxs+1]), ErrRequest)
		r.expectNothing()
		for part := range slices.Chunk(hs, maxTxs) {
			wantError(t, p.RequestTxs(part), nil)
			expect[*wire.MsgGetData](r)
		}
		if n := p.asked().Len(); n != maxTxsAsked {
			t.Errorf("%d transactions are remembered", n)
		}
	})
}
