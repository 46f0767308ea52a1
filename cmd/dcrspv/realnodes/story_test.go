package realnodes

import (
	"context"
	"slices"
	"testing"
	"time"
)

// idleLimit is longer than any time dcrd leaves a silent connection alone: 30
// s for the handshake, 45 s for an answer to its getinitstate, 120 s without
// any message.
const idleLimit = 130 * time.Second

// testSync syncs a client from nothing and then again and again, while the
// chain goes on between the runs.
func testSync(t *testing.T, n *network, c *client) {
	live(t, n)
	c.watchAll(t, n)
	first := c.sync(t, n, 0)
	if first.Peers != len(n.P2P) {
		t.Errorf("%d peers, want %d", first.Peers, len(n.P2P))
	}

	// What is there is not asked for again.
	if again := c.sync(t, n, 0); again.Requests.Filters+again.Requests.Blocks != 0 {
		t.Errorf("nothing new, and requested %+v", again.Requests)
	}
	n.pay(t, n.External[3], coin)
	n.mine(t, 3)
	more := c.sync(t, n, 1)
	if r := more.Requests; r.Filters < 1 || r.Filters > 3 || r.Blocks < 1 || r.Blocks > 3 {
		t.Errorf("3 blocks more, and requested %+v", r)
	}
	if more.ReceivedBytes >= first.ReceivedBytes/2 {
		t.Errorf("received %d bytes for 3 blocks and %d for all before", more.ReceivedBytes, first.ReceivedBytes)
	}

	// Each address is within the gap limit only because of the one before it.
	for _, i := range []int{30, 45, 58} {
		n.pay(t, n.External[i], coin)
		n.mine(t, 1)
	}
	c.sync(t, n, 2)

	for _, depth := range []int{3, 10} {
		n.pay(t, n.Single[0], coin)
		n.mine(t, 2)
		c.sync(t, n, 0)
		n.reorg(t, depth)
		c.sync(t, n, 1)
		n.mine(t, 1) // brings back what the reorganisation took away
		c.sync(t, n, 2)
	}
	n.pay(t, n.Single[1], coin)
	n.mine(t, 1)
	c.sync(t, n, 0)
	n.disapprove(t)
	c.sync(t, n, 0)
	n.mine(t, 1)
	c.sync(t, n, 0)

	tx := n.sign(t, "", coin)
	c.do(t, nil, "broadcast", tx.Hex)
	eventually(t, "broadcast transaction in every mempool", func() bool {
		for node := range n.P2P {
			if !slices.Contains(n.mempoolOf(t, node), tx.TxID) {
				return false
			}
		}
		return true
	})
	var pending balance
	c.do(t, &pending, "balance")
	if want := n.truth(t, 0).Balance; pending != want {
		t.Errorf("with a transaction pending: %+v, want %+v", pending, want)
	}
	n.mine(t, 1)
	c.sync(t, n, 0)

	// A process that is killed leaves files that the next one goes on with.
	n.pay(t, n.External[5], coin)
	f := c.follow(t)
	f.reaches(t, n.tipOf(t, 0))
	n.mine(t, 2)
	f.kill()
	c.sync(t, n, 0)
	c.do(t, nil, "rescan")
	c.check(t, n.truth(t, 0))
	c.do(t, nil, "verify")
}

// scene is something that happens to the network while clients look on. It
// returns the node that knows best afterwards.
type scene struct {
	name string
	play func(t *testing.T, n *network) (node int)
}

var scenes = []scene{
	{"payments", func(t *testing.T, n *network) int {
		n.pay(t, n.External[1], 2*coin)
		n.spend(t, n.Single[0], 4*coin)
		n.mine(t, 2)
		return 0
	}},
	{"reorganisation of 3", func(t *testing.T, n *network) int { n.reorg(t, 3); return 1 }},
	{"payments again", func(t *testing.T, n *network) int { n.mine(t, 1); return 2 }},
	{"reorganisation of 10", func(t *testing.T, n *network) int { n.reorg(t, 10); return 0 }},
	{"disapproval", func(t *testing.T, n *network) int {
		n.pay(t, n.Single[1], coin)
		n.mine(t, 1)
		n.disapprove(t)
		return 1
	}},
	{"two branches", func(t *testing.T, n *network) int {
		n.split(t, 2)
		n.pay(t, n.Single[1], coin)
		n.mine(t, 2)
		n.rival(t, 2, 4, 6)
		return 2
	}},
	{"one branch", func(t *testing.T, n *network) int { n.join(t, 2); n.mine(t, 1); return 0 }},
	{"a node less", func(t *testing.T, n *network) int {
		n.stop(t, 1)
		n.pay(t, n.Single[2], coin)
		n.mine(t, 2)
		return 0
	}},
	{"the node again", func(t *testing.T, n *network) int {
		n.start(t, 1)
		n.mine(t, 1)
		bothConnected(t, n, 1)
		return 1
	}},
	{"all nodes away and back", func(t *testing.T, n *network) int {
		for node := range n.P2P {
			n.stop(t, node)
		}
		for node := range n.P2P {
			n.start(t, node)
		}
		n.pay(t, n.External[6], coin)
		n.mine(t, 2)
		for node := range n.P2P {
			bothConnected(t, n, node)
		}
		return 2
	}},
}

// bothConnected waits until testFollow's two clients are connected to a node,
// which has nothing to hold against them.
func bothConnected(t *testing.T, n *network, node int) {
	t.Helper()
	eventually(t, "both clients connected to a node again", func() bool {
		clients := n.clientsOf(t, node)
		for _, c := range clients {
			if c.BanScore != 0 {
				t.Fatalf("node %d: ban score %d", node, c.BanScore)
			}
		}
		return len(clients) == 2
	})
}

// testFollow has one client connected through all that can happen to a chain
// and to nodes. Another one is stopped after each scene, so that its files can
// be looked at, and started again.
func testFollow(t *testing.T, n *network, steady, looked *client) {
	live(t, n)
	steady.watchAll(t, n)
	looked.watchAll(t, n)
	long := steady.follow(t)
	node := 0
	for _, s := range scenes {
		t.Log(s.name)
		short := looked.follow(t)
		short.reaches(t, n.tipOf(t, node))
		long.reaches(t, n.tipOf(t, node))
		node = s.play(t, n)
		at := n.tipOf(t, node)
		short.reaches(t, at)
		long.reaches(t, at)
		looked.checkStatus(t, short.interrupt(t), at)
		looked.check(t, n.minedTruth(t, node))
	}
	steady.checkStatus(t, long.interrupt(t), n.tipOf(t, node))
	steady.check(t, n.minedTruth(t, node))
}

// testIdle leaves a client connected to nodes that have nothing to say, for
// longer than dcrd keeps a connection that does nothing.
func testIdle(t *testing.T, n *network, c *client) {
	c.watchAll(t, n)
	f := c.follow(t)
	f.reaches(t, n.Tip)
	connections := func() (all []nodePeer) {
		for node := range n.P2P {
			all = append(all, n.clientsOf(t, node)...)
		}
		return all
	}
	before := connections()
	if len(before) != len(n.P2P) {
		t.Fatalf("connections %v, want one at each node", before)
	}
	ctx, cancel := context.WithTimeout(t.Context(), idleLimit)
	defer cancel()
	if until(ctx, time.Second, func() bool { return !slices.Equal(connections(), before) }) {
		t.Fatalf("connections were %v, now %v", before, connections())
	}
	at := n.mine(t, 1)
	f.reaches(t, at)
	if now := connections(); !slices.Equal(now, before) {
		t.Errorf("connections were %v, now %v", before, now)
	}
	c.checkStatus(t, f.interrupt(t), at)
}
