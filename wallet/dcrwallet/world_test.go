package dcrwallet

import (
	"math/rand/v2"
	"testing"

	"dcrspv/spv/spvtest"

	"github.com/decred/dcrd/chaincfg/v3"
	"github.com/decred/dcrd/dcrutil/v4"
	"github.com/decred/dcrd/hdkeychain/v3"
	"github.com/decred/dcrd/wire"
)

// world is a network in memory, and the keys of a wallet: for what real nodes take long for.
type world struct {
	c    *spvtest.Chain
	net  *spvtest.Network
	seed []byte
	keys []*hdkeychain.ExtendedKey // the external branches of the accounts
	uses []use                     // of account 0, on this branch, lowest first
}

// use is a payment to an address.
type use struct {
	height, index uint32
}

// worldPeers are the addresses of the network's peers.
var worldPeers = []string{"10.0.0.1:18555", "10.1.0.1:18555"}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{c: spvtest.NewChain(nil), net: spvtest.NewNetwork(), seed: []byte("the seed of a wallet of the world")}
	params := chaincfg.SimNetParams()
	master, err := hdkeychain.NewMaster(w.seed, params)
	if err != nil {
		t.Fatal(err)
	}
	for account := range uint32(25) {
		key := master
		for _, i := range []uint32{44, params.SLIP0044CoinType, account} {
			if key, err = key.Child(hdkeychain.HardenedKeyStart + i); err != nil {
				t.Fatal(err)
			}
		}
		if key, err = key.Child(0); err != nil {
			t.Fatal(err)
		}
		w.keys = append(w.keys, key)
	}
	t.Cleanup(w.net.Close)
	w.c.Mine(20)
	for _, addr := range worldPeers {
		w.net.Add(addr, spvtest.NewPeer(w.c, spvtest.Behaviour{}))
	}
	return w
}

// script is that of an address.
func (w *world) script(t *testing.T, account, index uint32) []byte {
	t.Helper()
	key, err := w.keys[account].Child(index)
	if err != nil {
		t.Fatal(err)
	}
	script, err := payTo(key, w.c.Params())
	if err != nil {
		t.Fatal(err)
	}
	return script
}

// pay mines a block with payments to addresses of account 0.
func (w *world) pay(t *testing.T, indexes ...uint32) {
	t.Helper()
	var txs []*wire.MsgTx
	for _, index := range indexes {
		tx := w.c.Pay(w.script(t, 0, index), int64(1+index)*1e6)
		txs = append(txs, tx)
		w.uses = append(w.uses, use{w.c.Height() + 1, index})
	}
	w.c.MineBlock(txs...)
}

// fork goes on from a lower block.
func (w *world) fork(height uint32) {
	w.c = w.c.Fork(height)
	for len(w.uses) > 0 && w.uses[len(w.uses)-1].height > height {
		w.uses = w.uses[:len(w.uses)-1]
	}
}

// gap is the number of addresses that a payment may go to.
func (w *world) gap() uint32 {
	end := uint32(20)
	for _, u := range w.uses {
		end = max(end, u.index+21)
	}
	return end
}

// show has the peers serve the chain as it is.
func (w *world) show() { w.net.SetChain(w.c) }

// newClient makes a client of the network with wallets.
func (w *world) newClient(t *testing.T, names ...string) *client {
	t.Helper()
	c := &client{dir: t.TempDir(), peers: worldPeers, dial: w.net.Dial, names: names}
	for _, name := range names {
		newWallet(t, c.walletPath(name), w.seed)
	}
	return c
}

// check waits until the wallets are at the tip and compares them with the truth.
func (w *world) check(t *testing.T, c *client) {
	t.Helper()
	var scripts [][]byte
	for account := range uint32(len(w.keys)) {
		for index := range max(w.gap(), 20) {
			if account == 0 || index < 20 {
				scripts = append(scripts, w.script(t, account, index))
			}
		}
	}
	all := w.c.Truth(scripts)
	for i, b := range c.on {
		c.waitFor(t, b, all.Tip.Hash.String())
		balances, err := b.w.AccountBalances(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		var sum dcrutil.Amount
		for _, balance := range balances {
			sum += balance.Total - balance.Unconfirmed // what a reorganization took away is that again
		}
		if want := dcrutil.Amount(all.Total); sum != want {
			t.Fatalf("wallet %s at %v: %v, want %v", c.names[i], all.Tip, sum, want)
		}
	}
}

// random is a generator whose seed is printed.
func random(t *testing.T, seed uint64) *rand.Rand {
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}
