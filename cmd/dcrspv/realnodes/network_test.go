package realnodes

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"dcrspv/cmd/dcrspv/realnodes/driver"
)

// tip is the end of a chain.
type tip struct {
	Height uint32 `json:"height"`
	Hash   string `json:"hash"`
}

// transaction is one the driver made.
type transaction struct {
	TxID string `json:"txid"`
	Hex  string `json:"hex"`
}

// nodePeer is a connection as dcrd's getpeerinfo shows it.
type nodePeer struct {
	ID       int    `json:"id"`
	SubVer   string `json:"subver"`
	Version  uint32 `json:"version"`
	BanScore int    `json:"banscore"`
}

// network is a running simnet. Its methods fail the test when the network
// does not do what they ask. The driver carries out one command at a time.
type network struct {
	P2P      []string `json:"p2p"`      // each node's address for peers
	RPC      []string `json:"rpc"`      // and that of its JSON-RPC server
	Logs     []string `json:"logs"`     // each node's log file
	XPub     string   `json:"xpub"`     // account key that watches External and Internal
	External []string `json:"external"` // addresses
	Internal []string `json:"internal"`
	Single   []string `json:"single"` // watched too, the first of the account Other
	Other    string   `json:"other"`  // the account key of Single
	Tip      tip      `json:"tip"`    // at the start

	*driver.Driver
}

// startNetwork starts nodes and mines the first blocks. The network ends with
// the test; the end of a failed test shows the logs.
func startNetwork(t *testing.T, p programs, nodes, height int, flags ...string) *network {
	t.Helper()
	n := &network{}
	n.Driver = driver.Start(t, p.driver, n, func() {
		if t.Failed() {
			n.showLogs(t)
		}
	}, append(flags, "-dcrd", p.dcrd, "-dir", t.TempDir(), "-nodes", fmt.Sprint(nodes), "-height", fmt.Sprint(height))...)
	return n
}

func (n *network) showLogs(t *testing.T) {
	for _, path := range n.Logs {
		if log, err := os.ReadFile(path); err == nil {
			t.Logf("end of %s:\n%s", path, tail(log))
		}
	}
}

// tail is the end of a log.
func tail(log []byte) []byte {
	const limit = 4000
	if len(log) > limit {
		log = log[len(log)-limit:]
		if _, rest, ok := bytes.Cut(log, []byte("\n")); ok {
			log = rest
		}
	}
	return log
}

// args are the fields of a command beside its name.
type args = driver.Args

// do has the driver carry out a command and decodes its result, if asked for.
func (n *network) do(t *testing.T, cmd string, a args, result any) {
	t.Helper()
	n.Do(t, cmd, a, result)
}

// mine makes blocks out of what waits in the mempool.
func (n *network) mine(t *testing.T, blocks int) (at tip) {
	t.Helper()
	n.do(t, "mine", args{"n": blocks}, &at)
	return at
}

// reward mines blocks whose rewards go to an address.
func (n *network) reward(t *testing.T, blocks int, addr string) (at tip) {
	t.Helper()
	n.do(t, "mine", args{"n": blocks, "reward": addr}, &at)
	return at
}

// stake mines blocks that each buy tickets for an address.
func (n *network) stake(t *testing.T, blocks, tickets int, addr string) (at tip) {
	t.Helper()
	n.do(t, "mine", args{"n": blocks, "tickets": tickets, "voter": addr}, &at)
	return at
}

// buy mines a block that buys tickets for an address with watched coins.
func (n *network) buy(t *testing.T, tickets int, addr string) (at tip) {
	t.Helper()
	n.do(t, "mine", args{"n": 1, "tickets": tickets, "voter": addr, "own": true}, &at)
	return at
}

// miss mines a block without votes of tickets that others hold.
func (n *network) miss(t *testing.T) (at tip) {
	t.Helper()
	n.do(t, "mine", args{"n": 1, "miss": true}, &at)
	return at
}

// empty mines blocks that leave what waits where it is.
func (n *network) empty(t *testing.T, blocks int) (at tip) {
	t.Helper()
	n.do(t, "mine", args{"n": blocks, "empty": true}, &at)
	return at
}

// disapprove mines a block whose votes undo the regular transactions of the
// block before it.
func (n *network) disapprove(t *testing.T) (at tip) {
	t.Helper()
	n.do(t, "mine", args{"n": 1, "disapprove": true}, &at)
	return at
}

// pay sends a payment of nobody's coins into the mempool.
func (n *network) pay(t *testing.T, addr string, atoms int64) (tx transaction) {
	t.Helper()
	n.do(t, "pay", args{"addr": addr, "atoms": atoms}, &tx)
	return tx
}

// spend sends a payment of watched coins into the mempool.
func (n *network) spend(t *testing.T, addr string, atoms int64) (tx transaction) {
	t.Helper()
	n.do(t, "spend", args{"addr": addr, "atoms": atoms}, &tx)
	return tx
}

// sign makes the transaction that spend would send.
func (n *network) sign(t *testing.T, addr string, atoms int64) (tx transaction) {
	t.Helper()
	n.do(t, "spend", args{"addr": addr, "atoms": atoms, "hold": true}, &tx)
	return tx
}

// reorg replaces the last blocks by one more without their transactions, which
// return to the mempool.
func (n *network) reorg(t *testing.T, depth int) (at tip) {
	t.Helper()
	n.do(t, "reorg", args{"depth": depth}, &at)
	return at
}

// contradict is a reorg whose new branch holds transactions that spend what the old
// ones spent.
func (n *network) contradict(t *testing.T, depth int, txs ...string) (at tip) {
	t.Helper()
	n.do(t, "reorg", args{"depth": depth, "txs": txs}, &at)
	return at
}

// sendRaw sends a transaction into the mempool.
func (n *network) sendRaw(t *testing.T, hex string) (tx transaction) {
	t.Helper()
	n.do(t, "sendraw", args{"hex": hex}, &tx)
	return tx
}

// hold makes the transaction that pay would send.
func (n *network) hold(t *testing.T, addr string, atoms int64) (tx transaction) {
	t.Helper()
	n.do(t, "pay", args{"addr": addr, "atoms": atoms, "hold": true}, &tx)
	return tx
}

// split cuts a node off from the other nodes, but from no light client.
func (n *network) split(t *testing.T, node int) {
	t.Helper()
	n.do(t, "split", args{"node": node}, nil)
}

// rival makes a branch that only the split-off node sees. It starts depth
// blocks below the others' tip.
func (n *network) rival(t *testing.T, node, depth, blocks int) (at tip) {
	t.Helper()
	n.do(t, "rival", args{"node": node, "depth": depth, "n": blocks}, &at)
	return at
}

// join connects a split-off node with the others; the tip is the one they
// agree on.
func (n *network) join(t *testing.T, node int) (at tip) {
	t.Helper()
	n.do(t, "join", args{"node": node}, &at)
	return at
}

func (n *network) stop(t *testing.T, node int) { t.Helper(); n.do(t, "stop", args{"node": node}, nil) }
func (n *network) start(t *testing.T, node int) {
	t.Helper()
	n.do(t, "start", args{"node": node}, nil)
}

func (n *network) tipOf(t *testing.T, node int) (at tip) {
	t.Helper()
	n.do(t, "tip", args{"node": node}, &at)
	return at
}

func (n *network) peersOf(t *testing.T, node int) (peers []nodePeer) {
	t.Helper()
	n.do(t, "peers", args{"node": node}, &peers)
	return peers
}

// clientsOf are the light clients connected to a node.
func (n *network) clientsOf(t *testing.T, node int) []nodePeer {
	t.Helper()
	return slices.DeleteFunc(n.peersOf(t, node), func(p nodePeer) bool {
		return strings.Contains(p.SubVer, "/dcrd:")
	})
}

func (n *network) mempoolOf(t *testing.T, node int) (txids []string) {
	t.Helper()
	n.do(t, "mempool", args{"node": node}, &txids)
	return txids
}

// truth is what a walk over all blocks of a node says about the watched
// addresses.
func (n *network) truth(t *testing.T, node int) (all truth) {
	t.Helper()
	n.do(t, "truth", args{"node": node}, &all)
	return all
}

// minedTruth is truth without what waits in the mempool.
func (n *network) minedTruth(t *testing.T, node int) truth {
	t.Helper()
	all := n.truth(t, node)
	all.ignoreMempool = true
	return all
}
