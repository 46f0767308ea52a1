// Package simnet starts dcrd nodes on a private network for tests, and talks to the program
// that mines their blocks: the driver that the tests of command dcrspv use as well.
package simnet

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"
)

const (
	Coin = 100_000_000 // atoms

	// Patience bounds every wait for another process, startPatience that for a network.
	Patience      = 90 * time.Second
	startPatience = 3 * time.Minute
)

// programs are what the tests run.
type programs struct{ dcrd, driver string }

// build makes dcrd, and the driver that the tests of command dcrspv use as well.
var build = sync.OnceValues(func() (p programs, err error) {
	dir, err := os.MkdirTemp("", "dcrwallet")
	if err != nil {
		return p, err
	}
	p = programs{dcrd: filepath.Join(dir, "dcrd"), driver: filepath.Join(dir, "simnet")}
	for program, pkg := range map[string]string{p.dcrd: "github.com/decred/dcrd", p.driver: "."} {
		cmd := exec.Command("go", "build", "-C", filepath.Join(root(), "cmd/dcrspv/realnodes/simnet"), "-o", program, pkg)
		if out, err := cmd.CombinedOutput(); err != nil {
			return p, fmt.Errorf("build of %s: %w\n%s", pkg, err, out)
		}
	}
	return p, nil
})

// root is the folder of the project, found from that of this file.
func root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "../../../..")
}

// Clean removes what the tests of a package have built. It is called at their end.
func Clean() {
	if p, err := build(); err == nil {
		os.RemoveAll(filepath.Dir(p.dcrd))
	}
}

// Block is the end of a chain.
type Block struct {
	Height uint32 `json:"height"`
	Hash   string `json:"hash"`
}

// Sent is a transaction that the driver made.
type Sent struct {
	TxID string `json:"txid"`
	Hex  string `json:"hex"`
}

// Truth is what the driver finds about its keys in all blocks of a node.
type Truth struct {
	Tip     Block `json:"tip"`
	Balance struct {
		Spendable, Immature, Staked, Total, Unconfirmed int64
	} `json:"balance"`
	History []struct {
		TxID string `json:"txid"`
		Net  int64  `json:"net"`
		Tree int8   `json:"tree"`
	} `json:"history"`
	Utxos []struct {
		TxID   string `json:"txid"`
		Index  uint32 `json:"index"`
		Tree   int8   `json:"tree"`
		Amount int64  `json:"amount"`
	} `json:"utxos"`
}

// Args are the fields of a command beside its name.
type Args map[string]any

// Network is a running simnet of dcrd nodes. Its keys are those of the seed that the tests'
// wallet has, External and Internal of account 0 and Single of account 1.
type Network struct {
	P2P      []string `json:"p2p"`
	Logs     []string `json:"logs"`
	XPub     string   `json:"xpub"`
	External []string `json:"external"`
	Single   []string `json:"single"`
	Tip      Block    `json:"tip"`

	in     io.WriteCloser
	out    *bufio.Reader
	stderr bytes.Buffer
}

// Start starts nodes and mines the first blocks.
func Start(t *testing.T, nodes, height int) *Network {
	t.Helper()
	p, err := build()
	if err != nil {
		t.Fatal(err)
	}
	n := &Network{}
	cmd := exec.Command(p.driver, "-dcrd", p.dcrd, "-dir", t.TempDir(),
		"-nodes", fmt.Sprint(nodes), "-height", fmt.Sprint(height), "-limit", "1000")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = &n.stderr
	n.in, n.out = in, bufio.NewReader(out)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close() // the driver takes it as the order to end
		if err := cmd.Wait(); err != nil {
			t.Errorf("simnet driver: %v\n%s", err, n.stderr.Bytes())
		}
	})
	slow := time.AfterFunc(startPatience, func() { cmd.Process.Kill() })
	defer slow.Stop()
	n.answer(t, "start", n)
	return n
}

// Do has the driver carry out a command and decodes its result, if asked for.
func (n *Network) Do(t *testing.T, cmd string, a Args, result any) {
	t.Helper()
	line := Args{"cmd": cmd}
	for k, v := range a {
		line[k] = v
	}
	raw, err := json.Marshal(line)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := n.in.Write(append(raw, '\n')); err != nil {
		t.Fatalf("%s: %v", cmd, err)
	}
	n.answer(t, cmd, result)
}

func (n *Network) answer(t *testing.T, cmd string, result any) {
	t.Helper()
	line, err := n.out.ReadBytes('\n')
	if err != nil {
		t.Fatalf("%s: the simnet driver ended: %v\n%s", cmd, err, n.stderr.Bytes())
	}
	var a struct {
		Result json.RawMessage
		Error  string
	}
	if err := json.Unmarshal(line, &a); err != nil {
		t.Fatalf("%s: %v in %q", cmd, err, line)
	}
	if a.Error != "" {
		t.Fatalf("%s: %s", cmd, a.Error)
	}
	if result != nil {
		if err := json.Unmarshal(a.Result, result); err != nil {
			t.Fatalf("%s: %v in %q", cmd, err, line)
		}
	}
}

// Mine makes blocks of what waits in the first node's memory pool.
func (n *Network) Mine(t *testing.T, blocks int) { t.Helper(); n.Do(t, "mine", Args{"n": blocks}, nil) }

// Pay sends a payment of nobody's coins into the memory pool.
func (n *Network) Pay(t *testing.T, addr string, atoms int64) (tx Sent) {
	t.Helper()
	n.Do(t, "pay", Args{"addr": addr, "atoms": atoms}, &tx)
	return tx
}

// Truth asks a node.
func (n *Network) Truth(t *testing.T, node int) (all Truth) {
	t.Helper()
	n.Do(t, "truth", Args{"node": node}, &all)
	return all
}

// Mempool lists what waits at the first node.
func (n *Network) Mempool(t *testing.T) (txids []string) {
	t.Helper()
	n.Do(t, "mempool", nil, &txids)
	return txids
}

// Arrives waits until the first node has a transaction.
func (n *Network) Arrives(t *testing.T, txid string) {
	t.Helper()
	Eventually(t, "transaction in the memory pool", func() bool { return slices.Contains(n.Mempool(t), txid) })
}

// Eventually waits until done reports true. Other processes give no signal to wait on.
func Eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	end := time.After(Patience)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("not within %v: %s", Patience, what)
		}
	}
}

// Seed is what the driver derives its keys from, as a wallet's seed.
func Seed() []byte {
	seed := sha256.Sum256([]byte("simnet keyring"))
	return seed[:]
}
