package spvtest

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"testing"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/wire"
)

var zero chainhash.Hash

func TestHandshakeLikeDcrd(t *testing.T) {
	p := NewPeer(testChain(7), Behaviour{})
	c := connect(t, p)
	v := c.version
	if v.ProtocolVersion != 11 || v.Services != wire.SFNodeNetwork || v.UserAgent != honestAgent || v.LastBlock != 7 {
		t.Errorf("%+v", v)
	}
	want := map[string]int{wire.CmdGetHeaders: 1, wire.CmdGetInitState: 1, wire.CmdVerAck: 1}
	if got := fmt.Sprint(c.skipped); got != fmt.Sprint(want) {
		t.Errorf("unasked: %v, want %v", got, want)
	}
	c.silent()
	if len(p.Clients()) != 1 || p.Connections() != 1 || p.Clients()[0].ID() != 1 {
		t.Error("wrong number of clients")
	}
	c.conn.Close()
	p.Close()
	if len(p.Clients()) != 0 {
		t.Error("the client is still there")
	}
}

func TestSyncFromPeer(t *testing.T) {
	c := testChain(4321)
	p := NewPeer(c, Behaviour{})
	cl := connect(t, p)

	var height uint32
	for range 3 {
		for i, h := range cl.headers(zero, c.Hash(height), c.Hash(0)) {
			if h != c.Header(height+uint32(i)+1) {
				t.Fatalf("wrong header %d", height+uint32(i)+1)
			}
		}
		height = min(height+2000, c.Height())
	}
	if got := cl.headers(zero, c.Tip().Hash); len(got) != 0 {
		t.Errorf("%d headers after the tip", len(got))
	}
	for from := uint32(1); from <= 300; from += 100 {
		for i, f := range cl.batch(c.Hash(from), c.Hash(from+99)) {
			h := from + uint32(i)
			if f.BlockHash != c.Hash(h) || !bytes.Equal(f.Data, c.Filter(h)) || f.ProofIndex != 0 || len(f.ProofHashes) != 0 {
				t.Fatalf("wrong filter %d: %+v", h, f)
			}
		}
	}
	hash := c.Hash(55)
	cl.write(wire.NewMsgGetCFilterV2(&hash))
	if f := cl.next(wire.CmdCFilterV2).(*wire.MsgCFilterV2); f.BlockHash != hash || !bytes.Equal(f.Data, c.Filter(55)) {
		t.Errorf("wrong filter 55: %+v", f)
	}
	checkCounts(t, p)
}

// checkCounts checks what the peer remembers of TestSyncFromPeer.
func checkCounts(t *testing.T, p *Peer) {
	if n := p.Count(wire.CmdGetHeaders); n != 4 {
		t.Errorf("%d getheaders", n)
	}
	if n := p.FilterRequests(54); n != 1 || p.FilterRequests(55) != 2 || p.FilterRequests(4000) != 0 {
		t.Errorf("filter 54 requested %d times", n)
	}
	if n := p.FiltersRequested(); n != 301 {
		t.Errorf("%d filters requested", n)
	}
	var commands []string
	for _, r := range p.Log() {
		commands = append(commands, r.Command)
	}
	want := []string{"version", "verack", "initstate", "getheaders", "getheaders", "getheaders", "getheaders",
		"getcfsv2", "getcfsv2", "getcfsv2", "getcfilterv2"}
	if !slices.Equal(commands, want) {
		t.Errorf("log: %v", commands)
	}
	if r := p.Log()[3]; r.Items != 2 || r.Client != 1 {
		t.Errorf("%+v", r)
	}
	if in, out := p.Bytes(); in == 0 || out < 4321*180 {
		t.Errorf("%d bytes in, %d out", in, out)
	}
	if v := p.Violations(); len(v) != 0 {
		t.Errorf("violations: %v", v)
	}
	p.ResetCounts()
	if p.Count(wire.CmdGetHeaders) != 0 || len(p.Log()) != 0 {
		t.Error("counts not reset")
	}
}

func TestGetHeaders(t *testing.T) {
	c := testChain(30)
	side := c.Fork(20)
	side.Mine(5)
	cl := connect(t, NewPeer(c, Behaviour{}))
	tests := []struct {
		name     string
		stop     chainhash.Hash
		locator  []chainhash.Hash
		from, to uint32
	}{
		{"unknown locator", zero, []chainhash.Hash{{1}}, 1, 30},
		{"side branch, then common block", zero, []chainhash.Hash{side.Hash(22), side.Hash(18)}, 19, 30},
		{"stop", c.Hash(25), []chainhash.Hash{c.Hash(10)}, 11, 25},
		{"stop below", c.Hash(5), []chainhash.Hash{c.Hash(10)}, 11, 30},
		{"unknown stop", chainhash.Hash{1}, []chainhash.Hash{c.Hash(10)}, 11, 30},
		{"one by hash", c.Hash(9), nil, 9, 9},
		{"nothing", zero, nil, 1, 0},
	}
	for _, test := range tests {
		got := cl.headers(test.stop, test.locator...)
		if want := viewOf(c).span(test.from, test.to); !slices.Equal(got, want) {
			t.Errorf("%s: %d headers, want %d to %d", test.name, len(got), test.from, test.to)
		}
	}
}

func TestFilterRequestsWithoutAnswer(t *testing.T) {
	c := testChain(150)
	side := c.Fork(100)
	side.Mine(10)
	cl := connect(t, NewPeer(c, Behaviour{}))
	unknown, stale := chainhash.Hash{1}, side.Hash(105)
	start, end, far := c.Hash(10), c.Hash(109), c.Hash(110)
	cl.write(
		wire.NewMsgGetCFilterV2(&unknown),
		wire.NewMsgGetCFilterV2(&stale),
		wire.NewMsgGetCFsV2(&start, &far),     // 101
		wire.NewMsgGetCFsV2(&end, &start),     // backwards
		wire.NewMsgGetCFsV2(&start, &unknown), // unknown end
	)
	cl.silent()
	if got := cl.batch(start, end); len(got) != 100 {
		t.Errorf("%d filters", len(got))
	}
}

func TestGetData(t *testing.T) {
	c := testChain(20)
	tx := c.Pay(Script(1), 1e8)
	special := c.MineBlock(tx, c.BuyTicket(Ticket{Voting: Script(2), Price: 1e8}))
	p := NewPeer(c, Behaviour{})
	cl := connect(t, p)
	unknown := chainhash.Hash{1}
	cl.write(getData(wire.InvTypeBlock, c.Hash(3), unknown, special.Hash, c.Hash(3)))
	for _, height := range []uint32{3, special.Height, 3} {
		h := c.Header(height)
		if err := c.Rules().CheckBlock(&h, cl.next(wire.CmdBlock).(*wire.MsgBlock)); err != nil {
			t.Error(err)
		}
	}
	missing := cl.next(wire.CmdNotFound).(*wire.MsgNotFound)
	if len(missing.InvList) != 1 || missing.InvList[0].Hash != unknown {
		t.Errorf("not found: %v", missing.InvList)
	}
	if n := p.BlockRequests(); n[c.Hash(3)] != 2 || n[special.Hash] != 1 {
		t.Errorf("block requests: %v", n)
	}
}

func TestTransactions(t *testing.T) {
	c := testChain(20)
	p := NewPeer(c, Behaviour{})
	wants := connect(t, p)
	deaf := dial(t, p)
	deaf.handshake(11, true)
	wants.silent()
	deaf.silent()

	// Announced by the peer.
	tx := c.Pay(Script(1), 1e8)
	hash := tx.TxHash()
	p.AnnounceTx(tx)
	if inv := wants.next(wire.CmdInv).(*wire.MsgInv); inv.InvList[0].Hash != hash {
		t.Errorf("announced %v", inv.InvList)
	}
	deaf.silent()
	wants.write(getData(wire.InvTypeTx, hash))
	if got := wants.next(wire.CmdTx).(*wire.MsgTx); got.TxHash() != hash {
		t.Errorf("got transaction %v", got.TxHash())
	}

	// Announced by a client, and pushed.
	ours, pushed := c.Pay(Script(2), 1e8), c.Pay(Script(3), 1e8)
	oursHash := ours.TxHash()
	inv := wire.NewMsgInv()
	inv.AddInvVect(wire.NewInvVect(wire.InvTypeTx, &oursHash))
	inv.AddInvVect(wire.NewInvVect(wire.InvTypeTx, &hash)) // known already
	wants.write(inv)
	if get := wants.next(wire.CmdGetData).(*wire.MsgGetData); len(get.InvList) != 1 || get.InvList[0].Hash != oursHash {
		t.Errorf("asked for %v", get.InvList)
	}
	wants.write(ours, pushed, ours)
	wants.silent()
	taken := p.Taken()
	if len(taken) != 2 || taken[0].TxHash() != oursHash || taken[1].TxHash() != pushed.TxHash() {
		t.Errorf("%d transactions taken", len(taken))
	}
}

func TestAnnouncements(t *testing.T) {
	c := testChain(20)
	p := NewPeer(c, Behaviour{})
	byInv, byHeaders := connect(t, p), connect(t, p)
	byHeaders.write(wire.NewMsgSendHeaders())
	byHeaders.silent()
	byInv.silent()

	// A longer branch, three blocks deep.
	side := c.Fork(18)
	side.Mine(3)
	p.SetChain(side)
	for h := uint32(19); h <= 21; h++ {
		inv := byInv.next(wire.CmdInv).(*wire.MsgInv).InvList
		if len(inv) != 1 || inv[0].Type != wire.InvTypeBlock || inv[0].Hash != side.Hash(h) {
			t.Errorf("inv for block %d: %v", h, inv)
		}
		if got := byHeaders.gotHeaders(); len(got) != 1 || got[0] != side.Header(h) {
			t.Errorf("headers for block %d: %v", h, got)
		}
	}
	// Mined blocks are served when the peer is told, not before.
	side.Mine(2)
	if got := byHeaders.headers(zero, side.Hash(21)); len(got) != 0 {
		t.Errorf("%d headers too early", len(got))
	}
	p.SetBehaviour(Behaviour{NoAnnounce: true})
	p.SetChain(side)
	byInv.silent()
	if got := byHeaders.headers(zero, side.Hash(21)); len(got) != 2 {
		t.Errorf("%d headers", len(got))
	}
	// Blocks of the old branch are still there, their filters are not.
	stale := c.Hash(20)
	if b := byInv.block(stale); b.BlockHash() != stale {
		t.Error("another block")
	}
	byInv.write(wire.NewMsgGetCFilterV2(&stale))
	byInv.silent()
	p.Send(c.Headers(10, 15))
	if got := byInv.gotHeaders(); len(got) != 6 {
		t.Errorf("%d headers sent on request", len(got))
	}
}

// BenchmarkServe50000 is how fast one peer gives a chain to a client that does
// nothing with it: all headers, then all filters.
func BenchmarkServe50000(b *testing.B) {
	const height = 50000
	c := testChain(height)
	n := NewNetwork()
	defer n.Close()
	n.Add("a:1", NewPeer(c, Behaviour{}))
	for b.Loop() {
		conn, err := n.Dial(context.Background(), "tcp", "a:1")
		if err != nil {
			b.Fatal(err)
		}
		requests := []wire.Message{ownVersion(11), wire.NewMsgVerAck(), wire.NewMsgInitState()}
		for h := uint32(0); h < height; h += wire.MaxBlockHeadersPerMsg {
			hash := c.Hash(h)
			requests = append(requests, &wire.MsgGetHeaders{BlockLocatorHashes: []*chainhash.Hash{&hash}})
		}
		for h := uint32(1); h <= height; h += 100 {
			start, end := c.Hash(h), c.Hash(h+99)
			requests = append(requests, wire.NewMsgGetCFsV2(&start, &end))
		}
		go func() {
			for _, m := range append(requests, wire.NewMsgPing(1)) {
				wire.WriteMessage(conn, m, 11, wire.SimNet)
			}
		}()
		for command := ""; command != wire.CmdPong; {
			var frame [wire.MessageHeaderSize]byte
			if _, err := io.ReadFull(conn, frame[:]); err != nil {
				b.Fatal(err)
			}
			command = string(bytes.TrimRight(frame[4:16], "\x00"))
			if _, err := io.CopyN(io.Discard, conn, int64(binary.LittleEndian.Uint32(frame[16:]))); err != nil {
				b.Fatal(err)
			}
		}
		conn.Close()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/height, "ns/block")
}
