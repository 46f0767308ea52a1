package main

import (
	"bufio"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/decred/dcrd/wire"
)

// command is one line on standard input. Which fields count depends on Cmd:
//
//	mine {n, reward, voter, tickets, own, disapprove, miss, empty}
//	              n blocks with what waits in the first node's mempool,
//	              or without it (empty); the
//	              reward goes to an address, every block buys so many tickets
//	              for the voter address, with watched coins if they are its
//	              own; the last block disapproves the one before it; votes
//	              of others' tickets are left out as far as a block does
//	              without (miss) or waited for                     -> tip
//	pay {addr, atoms, hold}    from nobody's coins to addr         -> tx
//	spend {addr, atoms, hold}  from watched coins to addr, or to nobody in
//	              particular; hold only makes the transaction      -> tx
//	sendraw {hex}              a transaction                       -> tx
//	reorg {depth, txs}         replace the last blocks by one more, the first
//	              of which hold transactions that contradict the old -> tip
//	split {node}               cut a node off from the others
//	rival {node, depth, n}     a branch only that node sees        -> tip
//	join {node}                connect it again                    -> tip
//	stop {node}, start {node}
//	tip {node}                                                     -> tip
//	peers {node}               the node's getpeerinfo              -> list
//	mempool {node}             transactions waiting at the node    -> list
//	truth {node}               see truth                           -> truth
type command struct {
	Cmd        string   `json:"cmd"`
	Node       int      `json:"node"`
	N          int      `json:"n"`
	Depth      int      `json:"depth"`
	Addr       string   `json:"addr"`
	Atoms      int64    `json:"atoms"`
	Hold       bool     `json:"hold"`
	Hex        string   `json:"hex"`
	Reward     string   `json:"reward"`
	Voter      string   `json:"voter"`
	Tickets    int      `json:"tickets"`
	Own        bool     `json:"own"`
	Disapprove bool     `json:"disapprove"`
	Miss       bool     `json:"miss"`
	Empty      bool     `json:"empty"`
	Txs        []string `json:"txs"`
}

// answer is one line on standard output.
type answer struct {
	Result any    `json:"result,omitempty"`
	Error  string `json:"error,omitempty"`
}

// description is the result in the first answer, which no command asked for.
type description struct {
	P2P      []string `json:"p2p"`  // of each node
	RPC      []string `json:"rpc"`  // of each node; user and password are simnet
	Logs     []string `json:"logs"` // of each node
	XPub     string   `json:"xpub"`
	External []string `json:"external"` // of the xpub's branch 0
	Internal []string `json:"internal"` // of the xpub's branch 1
	Single   []string `json:"single"`   // the first of Other's branch 0
	Other    string   `json:"other"`    // another xpub
	Tip      tip      `json:"tip"`
}

// txResult is a transaction made or sent.
type txResult struct {
	TxID string `json:"txid"`
	Hex  string `json:"hex"`
}

// readLines passes on the lines of r. At the end of r it calls ended.
func readLines(ctx context.Context, r io.Reader, ended func()) <-chan []byte {
	lines := make(chan []byte)
	go func() {
		defer ended()
		s := bufio.NewScanner(r)
		s.Buffer(nil, 1<<20)
		for s.Scan() {
			line := append([]byte(nil), s.Bytes()...)
			select {
			case lines <- line:
			case <-ctx.Done():
				return
			}
		}
	}()
	return lines
}

// serve describes the network and carries out commands until ctx ends.
func serve(ctx context.Context, w *network, lines <-chan []byte, out io.Writer) error {
	enc := json.NewEncoder(out)
	d := description{
		XPub:     w.keys.xpub,
		Other:    w.keys.other,
		External: names(w.keys.external),
		Internal: names(w.keys.internal),
		Single:   names(w.keys.single),
	}
	for _, n := range w.nodes {
		d.P2P = append(d.P2P, n.p2p)
		d.RPC = append(d.RPC, n.rpc.addr)
		d.Logs = append(d.Logs, n.logPath())
	}
	tip := w.miner.tip()
	d.Tip.Height, d.Tip.Hash = tip.Header.Height, tip.BlockHash().String()
	if err := enc.Encode(answer{Result: d}); err != nil {
		return err
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case line := <-lines:
			var a answer
			result, err := w.do(ctx, line)
			if a.Result = result; err != nil {
				a.Error = err.Error()
			}
			if err := enc.Encode(a); err != nil {
				return err
			}
		}
	}
}

func (w *network) do(ctx context.Context, line []byte) (any, error) {
	var c command
	if err := json.Unmarshal(line, &c); err != nil {
		return nil, err
	}
	n, err := w.node(c.Node)
	if err != nil {
		return nil, err
	}
	switch c.Cmd {
	case "mine":
		return w.doMine(ctx, &c)
	case "pay", "spend", "sendraw":
		return w.doTx(&c)
	case "reorg":
		return w.doReorg(ctx, &c)
	case "split":
		return nil, w.split(ctx, c.Node)
	case "rival":
		return w.rival(c.Node, c.Depth, c.N)
	case "join":
		return w.join(ctx, c.Node)
	case "stop":
		n.stop()
		return nil, nil
	case "start":
		return nil, w.start(ctx, c.Node)
	case "tip":
		return n.rpc.tip()
	case "peers":
		return n.rpc.peers()
	case "mempool":
		return waiting(n)
	case "truth":
		return w.truth(n)
	}
	return nil, fmt.Errorf("unknown command %q", c.Cmd)
}

func (w *network) doMine(ctx context.Context, c *command) (any, error) {
	o := order{tickets: c.Tickets, own: c.Own, disapprove: c.Disapprove, miss: c.Miss}
	var err error
	if o.reward, err = w.keys.address(c.Reward); err != nil {
		return nil, err
	}
	if o.voter, err = w.keys.address(c.Voter); err != nil {
		return nil, err
	}
	if c.N < 1 {
		return nil, errors.New("n must be at least 1")
	}
	return w.mine(ctx, c.N, o, c.Empty)
}

func (w *network) doReorg(ctx context.Context, c *command) (any, error) {
	var txs []*wire.MsgTx
	for _, s := range c.Txs {
		tx, err := decodeTx(s)
		if err != nil {
			return nil, err
		}
		txs = append(txs, tx)
	}
	return w.reorg(ctx, c.Depth, txs)
}

func (w *network) doTx(c *command) (any, error) {
	var tx *wire.MsgTx
	var err error
	if c.Cmd == "sendraw" {
		tx, err = decodeTx(c.Hex)
	} else {
		tx, err = w.makeTx(c)
	}
	if err != nil {
		return nil, err
	}
	raw, err := tx.Bytes()
	if err != nil {
		return nil, err
	}
	if !c.Hold {
		err = w.send(tx)
	}
	return txResult{TxID: tx.TxHash().String(), Hex: hex.EncodeToString(raw)}, err
}

func (w *network) makeTx(c *command) (*wire.MsgTx, error) {
	to, err := w.keys.address(c.Addr)
	if err != nil {
		return nil, err
	}
	if c.Cmd == "pay" {
		return w.pay(to, c.Atoms)
	}
	return w.spend(to, c.Atoms)
}

func waiting(n *node) ([]string, error) {
	txs, err := n.rpc.mempool("all")
	ids := []string{}
	for _, tx := range txs {
		ids = append(ids, tx.TxHash().String())
	}
	return ids, err
}
