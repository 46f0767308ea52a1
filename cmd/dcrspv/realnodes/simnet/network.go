package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/chaincfg/v3"
	"github.com/decred/dcrd/wire"
)

// settleLimit bounds how long the nodes may take to agree on a tip.
const settleLimit = 90 * time.Second

// maxTries is how often a branch is begun again because too few vote on it.
const maxTries = 50

// network is the nodes and the miner that feeds them. Blocks are given to one
// node and reach the others as they do in any Decred network.
type network struct {
	params *chaincfg.Params
	keys   *keyring
	miner  *miner
	nodes  []*node
	apart  map[int]bool // nodes cut off from the others
	votes  map[ballot]*wire.MsgTx
	change int // internal addresses used for change
}

func newNetwork(dcrd, dir string, count, limit int) (*network, error) {
	params := chaincfg.SimNetParams()
	keys, err := newKeyring(params)
	if err != nil {
		return nil, err
	}
	m, err := newMiner(params, keys, limit)
	if err != nil {
		return nil, err
	}
	w := &network{
		params: params, keys: keys, miner: m,
		apart: make(map[int]bool), votes: make(map[ballot]*wire.MsgTx),
	}
	ports := newPorts(os.Getpid())
	for i := range count {
		n, err := newNode(dcrd, filepath.Join(dir, fmt.Sprintf("node%d", i)), ports)
		if err != nil {
			return nil, err
		}
		w.nodes = append(w.nodes, n)
	}
	return w, nil
}

func (w *network) stopAll() {
	for _, n := range w.nodes {
		if n.running() {
			n.life.Close() // all at once; stop waits for each
		}
	}
	for _, n := range w.nodes {
		n.stop()
	}
}

func (w *network) node(i int) (*node, error) {
	if i < 0 || i >= len(w.nodes) {
		return nil, fmt.Errorf("no node %d", i)
	}
	return w.nodes[i], nil
}

// together are the running nodes that are connected with each other.
func (w *network) together() []*node {
	var nodes []*node
	for i, n := range w.nodes {
		if n.running() && !w.apart[i] {
			nodes = append(nodes, n)
		}
	}
	return nodes
}

// start runs node i, links it to the others and waits until it has their tip.
func (w *network) start(ctx context.Context, i int) error {
	n, err := w.node(i)
	if err != nil {
		return err
	}
	others := w.together()
	if err := n.start(ctx); err != nil {
		return err
	}
	return w.link(ctx, n, others)
}

func (w *network) link(ctx context.Context, n *node, others []*node) error {
	for _, other := range others {
		if err := n.connect(ctx, other); err != nil {
			return fmt.Errorf("connect nodes: %w", err)
		}
	}
	_, err := w.agree(ctx, "")
	return err
}

// agree waits until the connected nodes have the same tip, that of the given
// hash if there is one.
func (w *network) agree(ctx context.Context, hash string) (tip, error) {
	ctx, cancel := context.WithTimeout(ctx, settleLimit)
	defer cancel()
	var first, last tip
	err := poll(ctx, func() (bool, error) {
		for i, n := range w.together() {
			t, err := n.rpc.tip()
			if err != nil {
				return false, err
			}
			if i == 0 {
				first = t
			}
			last = t
			if t != first || hash != "" && t.Hash != hash {
				return false, nil
			}
		}
		return true, nil
	})
	if err != nil {
		err = fmt.Errorf("nodes do not agree (one at %d, another at %d): %w", first.Height, last.Height, err)
	}
	return first, err
}

// mine makes n blocks on the tip out of what waits in the first node's
// mempool. Only the last block is disapproving. Of tickets that others hold the
// votes are waited for. Empty blocks hold nothing of what waits.
func (w *network) mine(ctx context.Context, n int, o order, empty bool) (tip, error) {
	nodes := w.together()
	if len(nodes) == 0 {
		return tip{}, errors.New("no node to mine on")
	}
	disapprove := o.disapprove
	o.vote = w.awaitVote(ctx, nodes[0])
	for i := range n {
		regular, err := nodes[0].rpc.mempool("regular")
		if err != nil {
			return tip{}, err
		}
		stake, err := stakeMempool(nodes[0])
		if err != nil {
			return tip{}, err
		}
		if empty {
			o.spared = slices.Concat(regular, stake)
		} else {
			o.txs, o.stake = regular, stake
		}
		o.disapprove = disapprove && i == n-1
		err = w.extend(nodes[0], o)
		if o.disapprove && errors.Is(err, errFewVotes) {
			o.miss = true // fewer votes for the block before
			err = w.extend(nodes[0], o)
		}
		if err != nil {
			return tip{}, err
		}
	}
	return w.agree(ctx, w.miner.tip().BlockHash().String())
}

func (w *network) extend(n *node, o order) error {
	b, err := w.miner.next(o)
	if err != nil {
		return err
	}
	return n.rpc.submitBlock(b)
}

// stakeMempool are the tickets and treasury adds that wait at a node.
func stakeMempool(n *node) ([]*wire.MsgTx, error) {
	tickets, err := n.rpc.mempool("tickets")
	if err != nil {
		return nil, err
	}
	adds, err := n.rpc.mempool("tadd")
	return append(tickets, adds...), err
}

// reorg replaces the last depth blocks by one more, which leave out all
// transactions of those replaced, and hold txs instead.
func (w *network) reorg(ctx context.Context, depth int, txs []*wire.MsgTx) (tip, error) {
	nodes := w.together()
	if len(nodes) == 0 {
		return tip{}, errors.New("no node to mine on")
	}
	if err := w.fork(nodes[0], depth, depth+1, txs); err != nil {
		return tip{}, err
	}
	return w.agree(ctx, w.miner.tip().BlockHash().String())
}

// fork goes back by depth and makes so many blocks from there, without any
// transaction of those left behind, but with txs. What is left behind stays valid,
// unless txs contradict it. The holders of tickets vote on the best chain only, so
// on the new branch they miss, except where it starts.
func (w *network) fork(n *node, depth, blocks int, txs []*wire.MsgTx) error {
	branch := w.miner.branch()
	base := len(branch) - 1 - depth
	if depth < 1 || base < 1 {
		return fmt.Errorf("can not go back %d of %d blocks", depth, len(branch))
	}
	left, err := n.rpc.mempool("regular")
	if err != nil {
		return err
	}
	for _, b := range branch[base+1:] {
		left = append(left, b.Transactions[1:]...)
	}
	ours := w.miner.tip().BlockHash()
	for tries := 0; ; {
		w.miner.moveTo(branch[base].BlockHash())
		tries++
		err := w.branch(n, blocks, order{txs: txs, spared: left, vote: w.knownVote})
		if err == nil {
			return nil
		}
		w.miner.moveTo(ours)
		if !errors.Is(err, errFewVotes) || tries == maxTries {
			return err
		}
		// Other blocks have other winners.
	}
}

func (w *network) branch(n *node, blocks int, o order) error {
	for range blocks {
		if err := w.extend(n, o); err != nil {
			return err
		}
	}
	return nil
}

// split cuts node i off from the other nodes.
func (w *network) split(ctx context.Context, i int) error {
	n, err := w.node(i)
	if err != nil {
		return err
	}
	w.apart[i] = true
	return n.isolate(ctx)
}

// rival makes a branch of n blocks that only the split-off node i sees. It
// starts depth blocks below the tip of the others, on which mining goes on.
func (w *network) rival(i, depth, blocks int) (tip, error) {
	n, err := w.node(i)
	if err != nil {
		return tip{}, err
	}
	if !w.apart[i] {
		return tip{}, fmt.Errorf("node %d is not split off", i)
	}
	ours := w.miner.tip().BlockHash()
	defer w.miner.moveTo(ours)
	if err := w.fork(n, depth, blocks, nil); err != nil {
		return tip{}, err
	}
	return n.rpc.tip()
}

// join connects node i with the others again. Mining goes on where they agree.
func (w *network) join(ctx context.Context, i int) (tip, error) {
	n, err := w.node(i)
	if err != nil {
		return tip{}, err
	}
	others := w.together()
	delete(w.apart, i)
	if err := w.link(ctx, n, others); err != nil {
		return tip{}, err
	}
	t, err := w.agree(ctx, "")
	if err != nil {
		return t, err
	}
	hash, err := chainhash.NewHashFromStr(t.Hash)
	if err != nil {
		return t, err
	}
	w.miner.moveTo(*hash)
	return t, nil
}

// send gives a transaction to the first node, which spreads it.
func (w *network) send(tx *wire.MsgTx) error {
	nodes := w.together()
	if len(nodes) == 0 {
		return errors.New("no node to send to")
	}
	return nodes[0].rpc.sendTx(tx)
}
