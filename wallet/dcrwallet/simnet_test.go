package dcrwallet

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

const (
	coin = 100_000_000 // atoms

	// patience bounds every wait for another process, startPatience that for a network.
	patience      = 90 * time.Second
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
		cmd := exec.Command("go", "build", "-C", "../../cmd/dcrspv/realnodes/simnet", "-o", program, pkg)
		if out, err := cmd.CombinedOutput(); err != nil {
			return p, fmt.Errorf("build of %s: %w\n%s", pkg, err, out)
		}
	}
	return p, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if p, err := build(); err == nil {
		os.RemoveAll(filepath.Dir(p.dcrd))
	}
	os.Exit(code)
}

// block is the end of a chain.
type block struct {
	Height uint32 `json:"height"`
	Hash   string `json:"hash"`
}

// sent is a transaction that the driver made.
type sent struct {
	TxID string `json:"txid"`
	Hex  string `json:"hex"`
}

// truth is what the driver finds about its keys in all blocks of a node.
type truth struct {
	Tip     block `json:"tip"`
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

// args are the fields of a command beside its name.
type args map[string]any

// network is a running simnet of dcrd nodes. Its keys are those of the seed that the tests'
// wallet has, External and Internal of account 0 and Single of account 1.
type network struct {
	P2P      []string `json:"p2p"`
	Logs     []string `json:"logs"`
	XPub     string   `json:"xpub"`
	External []string `json:"external"`
	Single   []string `json:"single"`
	Tip      block    `json:"tip"`

	in     io.WriteCloser
	out    *bufio.Reader
	stderr bytes.Buffer
}

// startNetwork starts nodes and mines the first blocks.
func startNetwork(t *testing.T, nodes, height int) *network {
	t.Helper()
	p, err := build()
	if err != nil {
		t.Fatal(err)
	}
	n := &network{}
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

// do has the driver carry out a command and decodes its result, if asked for.
func (n *network) do(t *testing.T, cmd string, a args, result any) {
	t.Helper()
	line := args{"cmd": cmd}
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

func (n *network) answer(t *testing.T, cmd string, result any) {
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

// mine makes blocks of what waits in the first node's memory pool.
func (n *network) mine(t *testing.T, blocks int) { t.Helper(); n.do(t, "mine", args{"n": blocks}, nil) }

// pay sends a payment of nobody's coins into the memory pool.
func (n *network) pay(t *testing.T, addr string, atoms int64) (tx sent) {
	t.Helper()
	n.do(t, "pay", args{"addr": addr, "atoms": atoms}, &tx)
	return tx
}

// truth asks a node.
func (n *network) truth(t *testing.T, node int) (all truth) {
	t.Helper()
	n.do(t, "truth", args{"node": node}, &all)
	return all
}

// mempool lists what waits at the first node.
func (n *network) mempool(t *testing.T) (txids []string) {
	t.Helper()
	n.do(t, "mempool", nil, &txids)
	return txids
}
