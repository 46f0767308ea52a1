package peer

import (
	"errors"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/wire"
)

// A flood is a message over and over.
type flood struct {
	name    string
	second  int           // how many messages a second
	message []byte        // as it is on the wire
	before  func(p *Peer) // done first: what the remote is asked for
	relayed bool          // it may come from others
}

// manyItems is n items of a kind that nobody has heard of.
func manyItems(kind wire.InvType, n int) []*wire.InvVect {
	invs := make([]*wire.InvVect, n)
	for i := range invs {
		invs[i] = wire.NewInvVect(kind, &chainhash.Hash{byte(i), byte(i >> 8), byte(i >> 16), 0xff})
	}
	return invs
}

// floods are the floods that a connection has to end. Those of small messages are
// no faster than they have to be for that.
func floods(t testing.TB) []flood {
	raw := func(msg wire.Message) []byte { return encode(t, msg, simnet.Net) }
	locator := wire.NewMsgGetHeaders()
	for i := range byte(200) {
		locator.AddBlockLocatorHash(&chainhash.Hash{i})
	}
	addrs := wire.NewMsgAddr()
	for i := range wire.MaxAddrPerMsg {
		addrs.AddAddress(node("198.51.100.7", uint16(i+1), wire.SFNodeNetwork))
	}
	batch := batchMsg(blockHashes(1, 100))
	for i := range batch.CFilters {
		batch.CFilters[i].Data = make([]byte, 20_000)
	}
	_, hs := transactions(500)
	getTxs := func(p *Peer) {
		for range 40 {
			p.RequestTxs(hs)
		}
	}
	return []flood{
		{name: "getdata of many", second: 1, message: raw(&wire.MsgGetData{InvList: manyItems(wire.InvTypeTx, 50_000)})},
		{name: "getdata of one", second: 10, message: raw(&wire.MsgGetData{InvList: manyItems(wire.InvTypeTx, 1)})},
		{name: "getdata of nothing", second: 10, message: raw(&wire.MsgGetData{})},
		{name: "getdata of blocks", second: 1, message: raw(&wire.MsgGetData{InvList: manyItems(wire.InvTypeBlock, 500)})},
		{name: "getdata of what was announced, over and over", second: 10,
			message: raw(&wire.MsgGetData{InvList: txInvs(hs[:1])}), before: func(p *Peer) { p.Announce(hs) }},
		{name: "inv of many transactions", second: 50, message: raw(&wire.MsgInv{InvList: manyItems(wire.InvTypeTx, 50_000)}), relayed: true},
		{name: "inv of some transactions", second: 10, message: raw(&wire.MsgInv{InvList: manyItems(wire.InvTypeTx, 1000)}), relayed: true},
		{name: "inv of a block", second: 2600, message: raw(invMsg(1)), relayed: true},
		{name: "inv of a block, no faster", second: 300, message: raw(invMsg(1)), relayed: true},
		{name: "inv of many blocks", second: 1, message: raw(&wire.MsgInv{InvList: manyItems(wire.InvTypeBlock, 50_000)}), relayed: true},
		{name: "inv of nothing", second: 2600, message: raw(&wire.MsgInv{}), relayed: true},
		{name: "many headers", second: 5, message: raw(headersMsg(makeHeaders(genesis, 0, 2000))), relayed: true},
		{name: "one header", second: 2600, message: raw(headersMsg(makeHeaders(genesis, 0, 1))), relayed: true},
		{name: "one header, no faster", second: 300, message: raw(headersMsg(makeHeaders(genesis, 0, 1))), relayed: true},
		{name: "no headers", second: 2600, message: raw(headersMsg(nil)), relayed: true},
		{name: "addresses", second: 6, message: raw(addrs)},
		{name: "addresses after getaddr", second: 11, message: raw(addrs), before: func(p *Peer) { p.RequestAddrs() }},
		{name: "transactions", second: 60, message: raw(bigTx(300)), relayed: true},
		{name: "transactions in place of others", second: 20, message: raw(bigTx(300_000)), before: getTxs, relayed: true},
		{name: "notfound of many", second: 1, message: raw(&wire.MsgNotFound{InvList: manyItems(wire.InvTypeTx, 50_000)}), before: getTxs},
		{name: "notfound of one", second: 6, message: raw(&wire.MsgNotFound{InvList: manyItems(wire.InvTypeTx, 1)})},
		{name: "notfound of nothing", second: 6, message: raw(&wire.MsgNotFound{}), before: getTxs},
		{name: "pings", second: 15, message: raw(wire.NewMsgPing(1))},
		{name: "pongs", second: 6, message: raw(wire.NewMsgPong(1))},
		{name: "getheaders", second: 30, message: raw(locator)},
		{name: "getinitstate", second: 6, message: raw(wire.NewMsgGetInitState())},
		{name: "verack", second: 6, message: raw(wire.NewMsgVerAck())},
		{name: "sendheaders", second: 120, message: raw(wire.NewMsgSendHeaders())},
		{name: "getaddr", second: 120, message: raw(wire.NewMsgGetAddr())},
		{name: "unknown, short", second: 120, message: rawMessage("future", nil)},
		{name: "unknown, long", second: 3, message: rawMessage("future", make([]byte, 1<<20))},
		{name: "unknown, longest", second: 1, message: rawMessage("future", make([]byte, wire.MaxMessagePayload))},
		{name: "blocks", second: 6, message: raw(block(1))},
		{name: "filters", second: 6, message: raw(filterMsg(chainhash.Hash{1}))},
		{name: "batches of filters", second: 3, message: raw(batch)},
	}
}

// Every flood ends the connection within two seconds with an error that names the
// message, and what is held meanwhile stays within the bounds.
// Rule 20.
func TestFloodsEnd(t *testing.T) {
	for _, f := range floods(t) {
		t.Run(f.name, func(t *testing.T) {
			running(t, new(log), func(t *testing.T, p *Peer, r *remote, ended <-chan answer[any]) {
				if f.before != nil {
					f.before(p)
					synctest.Wait()
				}
				began := time.Now()
				sent := make(chan struct{})
				go func() {
					defer close(sent)
					for range 10 * time.Second / (time.Second / time.Duration(f.second)) {
						if _, err := r.conn.Write(f.message); err != nil {
							return
						}
						if n := p.queued.Load(); n > maxQueuedBytes {
							t.Errorf("%d bytes are queued", n)
						}
						time.Sleep(time.Second / time.Duration(f.second))
					}
					r.conn.Close()
				}()
				err := (<-ended).err
				took := time.Since(began)
				<-sent
				wantError(t, err, ErrFlood)
				if took > 2*time.Second {
					t.Errorf("ended after %v: %v", took, err)
				}
				if errors.Is(err, ErrProtocol) == f.relayed {
					t.Errorf("kind of error: %v", err)
				}
				command := strings.TrimRight(string(f.message[commandAt:lengthAt]), "\x00")
				if !strings.Contains(err.Error(), command) {
					t.Errorf("error does not name %s: %v", command, err)
				}
			})
		})
	}
}

// A minute of each flood at once, and no reading: what that makes us hold, or
// even allocate, is bounded.
// Rule 20.
func TestFloodsWithoutReading(t *testing.T) {
	for _, f := range floods(t) {
		t.Run(f.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, theirs := unread(t)
				ended := call(func() (any, error) { return nil, p.Run(t.Context(), answering{p, new(log)}) })
				sent := 0
				took := allocated(func() {
					for ; sent < 60*f.second; sent++ {
						if _, err := theirs.Write(f.message); err != nil {
							break
						}
					}
					synctest.Wait()
				})
				theirs.Close()
				if got := <-ended; !errors.Is(got.err, ErrFlood) && !errors.Is(got.err, ErrClosed) {
					t.Error(got.err)
				}
				if took > 16<<20 {
					t.Errorf("%d bytes for %d messages of %d", took, sent, len(f.message))
				}
			})
		})
	}
}

// answering is a Handler that answers every getdata as the engine does.
type answering struct {
	p *Peer
	*log
}

func (a answering) GetData(inv []*wire.InvVect) { a.p.NotFound(inv) }

// A remote that asks for everything we announce and reads nothing is cut off at
// the bound of the queue.
// Rule 20.
func TestAskingWithoutReading(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, theirs := unread(t)
		tx := bigTx(50_000)
		ended := call(func() (any, error) { return nil, p.Run(t.Context(), serving{p, tx, new(log)}) })
		var hs []chainhash.Hash
		for i := range 1000 {
			hs = append(hs, chainhash.Hash{byte(i), byte(i >> 8)})
		}
		wantError(t, p.Announce(hs), nil)
		if _, _, err := wire.ReadMessage(theirs, wire.ProtocolVersion, simnet.Net); err != nil {
			t.Fatal(err)
		}
		for _, hash := range hs {
			if _, err := theirs.Write(encode(t, &wire.MsgGetData{InvList: txInvs([]chainhash.Hash{hash})}, simnet.Net)); err != nil {
				break
			}
			if n := len(p.queue) * tx.SerializeSize(); n > maxQueuedBytes {
				t.Fatalf("%d bytes are queued", n)
			}
		}
		got := <-ended
		wantError(t, got.err, ErrOverflow)
		if got.took != 0 {
			t.Errorf("ended after %v", got.took)
		}
	})
}

// serving is a Handler that serves the same transaction whatever is asked for.
type serving struct {
	p  *Peer
	tx *wire.MsgTx
	*log
}

func (s serving) GetData(inv []*wire.InvVect) {
	for range inv {
		s.p.Serve(s.tx)
	}
}

// What a flood costs until it is cut off, the connection and the work of the
// remote included.
func BenchmarkFlood(b *testing.B) {
	for _, f := range floods(b) {
		b.Run(f.name, func(b *testing.B) {
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				b.Fatal(err)
			}
			defer listener.Close()
			messages := 0
			for b.Loop() {
				messages += floodOnce(b, listener, f)
			}
			b.ReportMetric(float64(messages)/float64(b.N), "messages/op")
		})
	}
}

// floodOnce makes a connection and floods it until it is closed. It returns how
// many messages could be written.
func floodOnce(b *testing.B, listener net.Listener, f flood) (messages int) {
	ours, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	theirs, err := listener.Accept()
	if err != nil {
		b.Fatal(err)
	}
	defer theirs.Close()
	theirs.Write(encode(b, remoteVersion(), simnet.Net))
	theirs.Write(encode(b, wire.NewMsgVerAck(), simnet.Net))
	p, err := Handshake(b.Context(), ours, "192.0.2.1:18555", testConfig())
	if err != nil {
		b.Fatal(err)
	}
	if f.before != nil {
		f.before(p)
	}
	ended := make(chan error, 1)
	go func() { ended <- p.Run(b.Context(), answering{p, new(log)}) }()
	for {
		if _, err := theirs.Write(f.message); err != nil {
			break
		}
		messages++
	}
	if err := <-ended; !errors.Is(err, ErrFlood) {
		b.Fatal(err)
	}
	return messages
}
