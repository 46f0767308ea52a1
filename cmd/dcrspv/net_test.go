package main

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"dcrspv/spv/spvtest"

	"github.com/decred/dcrd/dcrec"
	"github.com/decred/dcrd/hdkeychain/v3"
	"github.com/decred/dcrd/txscript/v4"
	"github.com/decred/dcrd/txscript/v4/sign"
	"github.com/decred/dcrd/txscript/v4/stdaddr"
	"github.com/decred/dcrd/wire"
)

// testNetwork is the chain of the demo, small, served by honest peers, and a data
// directory to sync into.
type testNetwork struct {
	t       *testing.T
	virtual bool // peers are reached in memory, not over TCP on loopback
	demo    *demoNetwork
	peers   []*spvtest.Peer
	addrs   []string
	dir     string
}

// inVirtualTime runs a test whose outcome depends on how long something takes: on a
// timeout, on how soon a peer answers. No time passes while anything is busy.
func inVirtualTime(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(testNow))
		test(t)
	})
}

// newVirtualNetwork is a network for inVirtualTime.
func newVirtualNetwork(t *testing.T, peers int) *testNetwork {
	t.Helper()
	return newNetwork(t, true, peers)
}

// newTestNetwork is a network over TCP, on which everything may take as long as it
// likes.
func newTestNetwork(t *testing.T, peers int) *testNetwork {
	t.Helper()
	return newNetwork(t, false, peers)
}

func newNetwork(t *testing.T, virtual bool, peers int) *testNetwork {
	t.Helper()
	d, err := newDemoNetwork(smallDemo)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.net.Close)
	n := &testNetwork{t: t, virtual: virtual, demo: d, dir: t.TempDir()}
	honest := spvtest.Behaviour{}
	if virtual {
		honest.Latency = 20 * time.Millisecond // so that a sync takes some time
	}
	for range peers {
		n.addPeer(spvtest.NewPeer(d.chain, honest))
	}
	return n
}

func (n *testNetwork) addPeer(p *spvtest.Peer) {
	n.t.Helper()
	addr := fmt.Sprintf("203.0.113.%d:18555", len(n.peers)+1)
	if n.virtual {
		n.demo.net.Add(addr, p)
	} else {
		l, err := p.ListenTCP("127.0.0.1:0")
		if err != nil {
			n.t.Fatal(err)
		}
		n.t.Cleanup(p.Close)
		addr = l.String()
	}
	n.peers = append(n.peers, p)
	n.addrs = append(n.addrs, addr)
}

// args are the global flags for this network, before those of the test.
func (n *testNetwork) args(more ...string) []string {
	args := []string{"--network", "simnet", "--datadir", n.dir}
	if n.virtual {
		args = append(args, "--timeout", "2m")
	}
	for _, addr := range n.addrs {
		args = append(args, "--connect", addr)
	}
	return append(args, more...)
}

// program is the program, for this network.
func (n *testNetwork) program() (p *program, stdout, stderr *bytes.Buffer) {
	n.t.Helper()
	p, stdout, stderr = testProgram(n.t)
	if n.virtual {
		p.dial = n.demo.net.Dial
	}
	return p, stdout, stderr
}

// run runs a command.
func (n *testNetwork) run(args ...string) result {
	n.t.Helper()
	p, stdout, stderr := n.program()
	status := p.run(n.args(args...))
	return result{status, stdout.String(), stderr.String()}
}

// dcrspv runs a command that must succeed and returns its output.
func (n *testNetwork) dcrspv(args ...string) string {
	n.t.Helper()
	r := n.run(args...)
	if r.status != statusDone {
		n.t.Fatalf("%v: status %d: %s", args, r.status, r.stderr)
	}
	return r.stdout
}

// json runs a command with --json and decodes the one document it prints.
func (n *testNetwork) json(doc any, args ...string) {
	n.t.Helper()
	decode(n.t, n.dcrspv(append(args, "--json")...), doc)
}

// decode wants exactly one document, with no field that doc does not have.
func decode(t *testing.T, text string, doc any) {
	t.Helper()
	dec := json.NewDecoder(strings.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(doc); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	if dec.More() {
		t.Fatalf("more than one document: %s", text)
	}
}

// count adds up the messages of a command at all peers.
func (n *testNetwork) count(command string) (sum int) {
	for _, p := range n.peers {
		sum += p.Count(command)
	}
	return sum
}

// wantBalance compares balance, history and utxos with the truth.
func (n *testNetwork) wantBalance(truth spvtest.Truth) {
	n.t.Helper()
	want := balanceDoc{Spendable: truth.Spendable, Immature: truth.Immature, Staked: truth.Staked, Total: truth.Total}
	if balance := n.balance(); balance != want {
		n.t.Errorf("balance %+v, want %+v", balance, want)
	}
	var history []entryDoc
	n.json(&history, "history")
	if len(history) != len(truth.History) {
		n.t.Fatalf("%d transactions, want %d", len(history), len(truth.History))
	}
	nets := make(map[string]spvtest.Entry)
	for _, e := range truth.History {
		nets[e.TxID.String()] = e
	}
	for _, e := range history {
		w, ok := nets[e.TxID]
		if !ok || w.Net != e.Net || w.Height != e.Height || w.Tree != e.Tree || w.Block.String() != e.Block {
			n.t.Errorf("history has %+v, want %+v", e, w)
		}
	}
	var utxos []utxoDoc
	n.json(&utxos, "utxos")
	sum := int64(0)
	for _, u := range utxos {
		sum += u.Amount
	}
	if len(utxos) != len(truth.Coins) || sum != truth.Total {
		n.t.Errorf("%d unspent outputs of %d, want %d of %d", len(utxos), sum, len(truth.Coins), truth.Total)
	}
}

// balance runs the command of that name. Its kinds must make up the total.
func (n *testNetwork) balance() balanceDoc {
	n.t.Helper()
	var doc kindsDoc
	n.json(&doc, "balance")
	var total, spendable int64
	for _, part := range doc.ByKind {
		total, spendable = total+part.Total, spendable+part.Spendable
	}
	if total != doc.Total || spendable != doc.Spendable {
		n.t.Errorf("the kinds have %d and %d: %+v", total, spendable, doc)
	}
	return doc.balanceDoc
}

// screen is an output that a test can wait for.
type screen struct {
	mu     sync.Mutex
	text   bytes.Buffer
	change chan struct{}
}

func newScreen() *screen { return &screen{change: make(chan struct{}, 1)} }

func (s *screen) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, err := s.text.Write(b)
	select {
	case s.change <- struct{}{}:
	default:
	}
	return n, err
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// patience is how long a text may take, in virtual time, before the test shows what
// there is in its place.
const patience = 2 * time.Minute

// wait returns when the text is there, or fails the test when the program ends
// without it.
func (s *screen) wait(t *testing.T, text string, ended <-chan int) {
	t.Helper()
	late := time.After(patience)
	for !strings.Contains(s.String(), text) {
		select {
		case <-s.change:
		case status := <-ended:
			if !strings.Contains(s.String(), text) {
				t.Fatalf("ended with %d, without %q:\n%s", status, text, s)
			}
			return
		case <-late:
			t.Fatalf("no %q:\n%s", text, s)
		}
	}
}

// started is a program that runs beside the test.
type started struct {
	stdout  bytes.Buffer // to be read when ended
	stderr  *screen
	signals chan os.Signal
	ended   chan int
	begin   func()
}

// prepare makes a program; begin starts it.
func (n *testNetwork) prepare(args ...string) *started {
	p, _, _ := n.program()
	s := &started{stderr: newScreen(), signals: make(chan os.Signal, 2), ended: make(chan int, 1)}
	p.stdout, p.stderr, p.signals = &s.stdout, s.stderr, s.signals
	s.begin = func() { go func() { s.ended <- p.run(n.args(args...)) }() }
	return s
}

func (n *testNetwork) start(args ...string) *started {
	s := n.prepare(args...)
	s.begin()
	return s
}

// script is the output script of an address.
func (n *testNetwork) script(addr string) (version uint16, script []byte) {
	n.t.Helper()
	a, err := stdaddr.DecodeAddress(addr, n.demo.params)
	if err != nil {
		n.t.Fatal(err)
	}
	return a.PaymentScript()
}

// spendable are some coins of the wallet that may be spent.
func (n *testNetwork) spendable(count int) (coins []spvtest.Coin) {
	for _, c := range n.demo.truth.Coins {
		if c.Spendable && len(coins) < count {
			coins = append(coins, c)
		}
	}
	return coins
}

// sign signs the first inputs of a transaction, which spend outputs of the wallet with
// these scripts.
func (n *testNetwork) sign(tx *wire.MsgTx, scripts ...[]byte) *wire.MsgTx {
	n.t.Helper()
	key, err := demoKey(n.demo.params)
	if err != nil {
		n.t.Fatal(err)
	}
	for i, script := range scripts {
		secret := n.secret(key, script)
		tx.TxIn[i].SignatureScript, err = sign.SignatureScript(tx, i, script, txscript.SigHashAll, secret, dcrec.STEcdsaSecp256k1, true)
		if err != nil {
			n.t.Fatal(err)
		}
	}
	return tx
}

// secret is the private key that a script pays.
func (n *testNetwork) secret(account *hdkeychain.ExtendedKey, script []byte) []byte {
	n.t.Helper()
	for branch := range uint32(2) {
		for index := range uint32(smallDemo.payments) {
			addr, err := n.demo.address(account, branch, index)
			if err != nil {
				n.t.Fatal(err)
			}
			if _, s := addr.PaymentScript(); !bytes.Equal(s, script) {
				continue
			}
			key, err := account.Child(branch)
			if err == nil {
				key, err = key.Child(index)
			}
			secret, err2 := key.SerializedPrivKey()
			if err != nil || err2 != nil {
				n.t.Fatal(err, err2)
			}
			return secret
		}
	}
	n.t.Fatalf("%x is not of the wallet", script)
	return nil
}

// txHex is a transaction as broadcast takes it.
func txHex(t *testing.T, tx *wire.MsgTx) string {
	t.Helper()
	raw, err := tx.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(raw)
}

// interrupt sends a Ctrl-C and returns the exit status.
func (s *started) interrupt() int {
	s.signals <- os.Interrupt
	return <-s.ended
}

// files names the two files of the network.
func (n *testNetwork) files() (chain, wallet string) {
	dir := filepath.Join(n.dir, "simnet")
	return filepath.Join(dir, "chain.db"), filepath.Join(dir, "wallet.db")
}
