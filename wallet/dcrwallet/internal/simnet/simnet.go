// Package simnet starts dcrd nodes on a private network for tests, and talks to the program
// that mines their blocks: the driver that the tests of command dcrspv use as well.
package simnet

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"dcrspv/cmd/dcrspv/realnodes/driver"
)

const (
	Coin = 100_000_000 // atoms

	// Patience bounds every wait for another process.
	Patience = 90 * time.Second
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
	return p, driver.Build(p.dcrd, p.driver)
})

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
type Args = driver.Args

// Network is a running simnet of dcrd nodes. Its keys are those of the seed that the tests'
// wallet has, External and Internal of account 0 and Single of account 1.
type Network struct {
	P2P      []string `json:"p2p"`
	Logs     []string `json:"logs"`
	XPub     string   `json:"xpub"`
	External []string `json:"external"`
	Single   []string `json:"single"`
	Tip      Block    `json:"tip"`

	*driver.Driver
}

// Start starts nodes and mines the first blocks.
func Start(t *testing.T, nodes, height int) *Network {
	t.Helper()
	p, err := build()
	if err != nil {
		t.Fatal(err)
	}
	n := &Network{}
	n.Driver = driver.Start(t, p.driver, n, func() {}, "-dcrd", p.dcrd, "-dir", t.TempDir(),
		"-nodes", fmt.Sprint(nodes), "-height", fmt.Sprint(height), "-limit", "1000")
	return n
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
