package spvtest

import (
	"errors"
	"net/netip"
	"os"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"dcrspv/spv/chain"

	"github.com/decred/dcrd/math/uint256"
	"github.com/decred/dcrd/wire"
)

// judge lets the header rules judge an answer to getheaders, from a client that
// has the genesis block only.
func judge(c *Chain, headers []chain.Header) error {
	_, genesis := c.Rules().Genesis()
	hc := chain.New(c.Rules(), nil, genesis, uint256.Uint256{})
	batch, err := c.Rules().Check(headers)
	if err != nil {
		return err
	}
	_, err = hc.Add(batch, c.Time())
	return err
}

func TestBadHeaders(t *testing.T) {
	c := testChain(300)
	tests := []struct {
		fault HeaderFault
		want  error
	}{
		{HeadersRight, nil},
		{HeadersBadPoW, chain.ErrProofOfWork},
		{HeadersOldPoW, chain.ErrProofOfWork},
		{HeadersWrongBits, chain.ErrBits},
		{HeadersWrongPrice, chain.ErrStakeDiff},
		{HeadersWrongVotes, chain.ErrVotes},
		{HeadersFuture, chain.ErrFuture},
		{HeadersPast, chain.ErrMedianTime},
		{HeadersWrongLink, chain.ErrLink},
		{HeadersWrongHeight, chain.ErrHeight},
		{HeadersUnlinked, chain.ErrOrphan},
	}
	for _, test := range tests {
		p := NewPeer(c, Behaviour{BadHeaders: test.fault})
		cl := connect(t, p)
		if err := judge(c, cl.headers(zero, c.Hash(0))); !errors.Is(err, test.want) {
			t.Errorf("fault %d: %v, want %v", test.fault, err, test.want)
		}
		if test.fault == HeadersUnlinked || test.fault == HeadersRight {
			continue
		}
		// At one height only, where the answer ends.
		p.SetBehaviour(Behaviour{BadHeaders: test.fault, BadHeaderAt: 100})
		got := cl.headers(zero, c.Hash(0))
		if err := judge(c, got); len(got) != 100 || !errors.Is(err, test.want) {
			t.Errorf("fault %d at 100: %d headers, %v", test.fault, len(got), err)
		}
		if err := judge(c, got[:99]); err != nil {
			t.Errorf("fault %d: headers before: %v", test.fault, err)
		}
		if got := cl.headers(zero, c.Hash(100)); !slices.Equal(got, viewOf(c).span(101, 300)) {
			t.Errorf("fault %d: other headers are wrong too", test.fault)
		}
	}
}

func TestOldProofOfWork(t *testing.T) {
	c := testChain(10)
	cl := connect(t, NewPeer(c, Behaviour{BadHeaders: HeadersOldPoW}))
	headers := cl.headers(zero, c.Hash(0))
	last := headers[len(headers)-1]
	var limit target
	limit.set(last.Bits())
	if !limit.met(last.Hash()) || limit.met(c.Rules().PowHash(&last)) {
		t.Error("the work is not of the old kind")
	}
}

func TestEndlessHeaders(t *testing.T) {
	c := testChain(100)
	cl := connect(t, NewPeer(c, Behaviour{BadHeaders: HeadersEndless, AdvertisedHeight: 100}))
	_, genesis := c.Rules().Genesis()
	hc := chain.New(c.Rules(), nil, genesis, uint256.Uint256{})
	for range 4 {
		batch, err := c.Rules().Check(cl.headers(zero, hc.Tip().Hash))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := hc.Add(batch, c.Time().Add(24*time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	if hc.Tip().Height != 100+3*2000 {
		t.Errorf("tip %d", hc.Tip().Height)
	}
}

func TestBadFilters(t *testing.T) {
	c := testChain(200)
	for _, fault := range []FilterFault{FiltersFlipped, FiltersEmpty, FiltersShort, FiltersSwapped, FiltersForeign, FiltersProof} {
		p := NewPeer(c, Behaviour{BadFilters: fault, BadFilterAt: 150})
		cl := connect(t, p)
		if n, wrong := judgeFilters(c, cl.batch(c.Hash(1), c.Hash(100)), 1); n != 100 || len(wrong) > 0 {
			t.Errorf("fault %d at 150: filters 1 to 100: %d, wrong %v", fault, n, wrong)
		}
		n, wrong := judgeFilters(c, cl.batch(c.Hash(101), c.Hash(200)), 101)
		switch {
		case fault == FiltersShort:
			if n != 99 || len(wrong) > 0 {
				t.Errorf("short answer: %d filters, wrong %v", n, wrong)
			}
		case n != 100 || !slices.Equal(wrong, []uint32{150}):
			t.Errorf("fault %d at 150: %d filters, wrong %v", fault, n, wrong)
		}
		p.SetBehaviour(Behaviour{BadFilters: fault})
		if n, wrong := judgeFilters(c, cl.batch(c.Hash(11), c.Hash(20)), 11); n != 9 && len(wrong) != 10 {
			t.Errorf("fault %d: %d filters, wrong %v", fault, n, wrong)
		}
		hash := c.Hash(30)
		cl.write(wire.NewMsgGetCFilterV2(&hash))
		if fault == FiltersShort {
			cl.silent()
			continue
		}
		single := cl.next(wire.CmdCFilterV2).(*wire.MsgCFilterV2)
		if _, wrong := judgeFilters(c, []wire.MsgCFilterV2{*single}, 30); len(wrong) != 1 {
			t.Errorf("fault %d: a single filter is right", fault)
		}
	}
}

// judgeFilters counts the filters of an answer, and tells which are wrong.
func judgeFilters(c *Chain, filters []wire.MsgCFilterV2, from uint32) (n int, wrong []uint32) {
	for i, f := range filters {
		height := from + uint32(i)
		h := c.Header(height)
		if c.Rules().CheckFilter(&h, f.Data) != nil || f.BlockHash != c.Hash(height) || len(f.ProofHashes) > 0 {
			wrong = append(wrong, height)
		}
	}
	return len(filters), wrong
}

func TestBadBlocks(t *testing.T) {
	c := testChain(20)
	regular := c.MineBlock(c.Pay(Script(1), 1e8)).Height
	staked := c.MineBlock(c.BuyTicket(Ticket{Voting: Script(1), Price: 1e8})).Height
	for _, fault := range []BlockFault{BlocksDropTx, BlocksDoubleTx, BlocksChangedTx, BlocksOther} {
		cl := connect(t, NewPeer(c, Behaviour{BadBlocks: fault}))
		for _, height := range []uint32{regular, staked} {
			h := c.Header(height)
			if err := c.Rules().CheckBlock(&h, cl.block(c.Hash(height))); err == nil {
				t.Errorf("fault %d: block %d is right", fault, height)
			}
		}
	}
	checkBlocks(t, c, regular, staked) // the lies are not in the chain

	cl := connect(t, NewPeer(c, Behaviour{BadBlocks: BlocksUnasked}))
	cl.block(c.Hash(5))
	if b := cl.next(wire.CmdBlock).(*wire.MsgBlock); b.Header.Height != 4 {
		t.Errorf("unasked block %d", b.Header.Height)
	}
	cl = connect(t, NewPeer(c, Behaviour{NotFound: true}))
	cl.write(getData(wire.InvTypeBlock, c.Hash(5)))
	cl.next(wire.CmdNotFound)
}

func TestClaims(t *testing.T) {
	c := testChain(20)
	cl := connect(t, NewPeer(c, Behaviour{
		AdvertisedHeight: 1 << 30,
		PVer:             10,
		Services:         NoServices,
		UserAgent:        "/evil:1/",
	}))
	if v := cl.version; v.LastBlock != 1<<30 || v.ProtocolVersion != 10 || v.Services != 0 || v.UserAgent != "/evil:1/" {
		t.Errorf("%+v", v)
	}
	if got := cl.headers(zero, c.Hash(0)); len(got) != 20 {
		t.Errorf("%d headers", len(got))
	}
}

func TestLag(t *testing.T) {
	c := testChain(20)
	p := NewPeer(c, Behaviour{Lag: 7})
	cl := connect(t, p)
	if got := cl.headers(zero, c.Hash(0)); cl.version.LastBlock != 13 || len(got) != 13 {
		t.Errorf("advertised %d, %d headers", cl.version.LastBlock, len(got))
	}
	hash := c.Hash(14)
	cl.write(wire.NewMsgGetCFilterV2(&hash))
	cl.silent()
	cl.write(getData(wire.InvTypeBlock, hash))
	cl.next(wire.CmdNotFound)
	c.Mine(1)
	p.SetChain(c)
	if inv := cl.next(wire.CmdInv).(*wire.MsgInv); inv.InvList[0].Hash != hash {
		t.Errorf("announced %v", inv.InvList)
	}
}

func TestSilence(t *testing.T) {
	c := testChain(20)
	cl := connect(t, NewPeer(c, Behaviour{Silent: map[string]bool{wire.CmdGetHeaders: true}}))
	m := wire.NewMsgGetHeaders()
	genesis := c.Hash(0)
	m.AddBlockLocatorHash(&genesis)
	cl.write(m)
	cl.silent()

	for _, b := range []Behaviour{{SilentHandshake: true}, {Silent: map[string]bool{"*": true}}, {Silent: map[string]bool{wire.CmdVersion: true}}} {
		synctest.Test(t, func(t *testing.T) {
			p := NewPeer(c, b)
			defer p.Close()
			cl := dial(t, p)
			cl.write(ownVersion(11))
			if msg, err := cl.read(); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("%v, %v", msg, err)
			}
			if p.Count(wire.CmdVersion) != 1 {
				t.Error("version not seen")
			}
		})
	}
}

func TestDrops(t *testing.T) {
	c := testChain(20)
	cl := connect(t, NewPeer(c, Behaviour{DropOn: map[string]bool{wire.CmdGetCFiltersV2: true}}))
	cl.headers(zero, c.Hash(0))
	a, b := c.Hash(1), c.Hash(2)
	cl.write(wire.NewMsgGetCFsV2(&a, &b))
	cl.closed()

	// version, verack, initstate, two pings
	cl = connect(t, NewPeer(c, Behaviour{DropAfter: 5}))
	cl.silent()
	cl.write(wire.NewMsgPing(1))
	cl.closed()
}

func TestUnsolicited(t *testing.T) {
	c := testChain(20)
	p := NewPeer(c, Behaviour{
		InvFlood:    3,
		Unsolicited: []wire.Message{c.Headers(3, 5), wire.NewMsgPong(1)},
		Garbage:     []byte("this is no message at all, is it?"),
	})
	cl := connect(t, p)
	for range 3 {
		if inv := cl.next(wire.CmdInv).(*wire.MsgInv); len(inv.InvList) != 1000 {
			t.Errorf("inv of %d", len(inv.InvList))
		}
	}
	if got := cl.gotHeaders(); len(got) != 3 {
		t.Errorf("%d headers", len(got))
	}
	cl.next(wire.CmdPong)
	var bad *wire.MessageError
	if msg, err := cl.read(); !errors.As(err, &bad) {
		t.Errorf("garbage read as %v, %v", msg, err)
	}
	cl = dial(t, NewPeer(c, Behaviour{Magic: wire.MainNet}))
	cl.write(ownVersion(11))
	if msg, err := cl.read(); !errors.As(err, &bad) {
		t.Errorf("wrong network: %v, %v", msg, err)
	}
}

func TestHook(t *testing.T) {
	c := testChain(20)
	hook := func(cl *Client, msg wire.Message) bool {
		if _, ok := msg.(*wire.MsgGetHeaders); !ok {
			return false
		}
		cl.Send(c.Headers(7, 8))
		return true
	}
	cl := connect(t, NewPeer(c, Behaviour{Hook: hook}))
	if got := cl.headers(zero, c.Hash(0)); len(got) != 2 || got[0].Height() != 7 {
		t.Errorf("%d headers", len(got))
	}
	cl.silent()
}

func TestAddrs(t *testing.T) {
	addr := netip.MustParseAddrPort("10.1.2.3:9108")
	cl := connect(t, NewPeer(testChain(1), Behaviour{Addrs: []netip.AddrPort{addr}}))
	cl.write(wire.NewMsgGetAddr())
	got := cl.next(wire.CmdAddr).(*wire.MsgAddr).AddrList
	if len(got) != 1 || got[0].IP.String() != "10.1.2.3" || got[0].Port != 9108 {
		t.Errorf("%+v", got)
	}
}
