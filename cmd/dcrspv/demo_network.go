package main

import (
	"fmt"
	"time"

	"dcrspv/spv/spvtest"

	"github.com/decred/dcrd/chaincfg/v3"
	"github.com/decred/dcrd/crypto/blake256"
	"github.com/decred/dcrd/dcrutil/v4"
	"github.com/decred/dcrd/hdkeychain/v3"
	"github.com/decred/dcrd/txscript/v4/stdaddr"
	"github.com/decred/dcrd/wire"
)

// demoSize is how much there is in the demo.
type demoSize struct {
	blocks   int
	payments int           // to the wallet
	latency  time.Duration // of an honest peer, about
}

var (
	fullDemo  = demoSize{blocks: 50_000, payments: 250, latency: 20 * time.Millisecond}
	smallDemo = demoSize{blocks: 1_200, payments: 20}
)

// demoNetwork is a network in memory, and what is true on its chain.
type demoNetwork struct {
	params *chaincfg.Params
	chain  *spvtest.Chain
	net    *spvtest.Network
	peers  []demoPeer
	xpub   string   // of the wallet
	used   []string // addresses of the wallet that got payments
	truth  spvtest.Truth
}

// demoPeer is what a peer of the demo is up to.
type demoPeer struct {
	addr    string
	hostile bool
	role    string
}

// newDemoNetwork builds the chain and the peers.
func newDemoNetwork(size demoSize) (*demoNetwork, error) {
	d := &demoNetwork{params: chaincfg.SimNetParams(), net: spvtest.NewNetwork()}
	key, err := demoKey(d.params)
	if err != nil {
		return nil, err
	}
	account := key.Neuter()
	d.xpub = account.String()
	d.chain = spvtest.NewChain(d.params)
	scripts, err := d.mine(size, account)
	if err != nil {
		return nil, err
	}
	d.truth = d.chain.Truth(scripts)
	d.addPeers(size)
	return d, nil
}

// demoKey is the private key of the wallet's account: from a fixed seed, so that every
// demo has the same chain. Nothing of value depends on it.
func demoKey(params *chaincfg.Params) (*hdkeychain.ExtendedKey, error) {
	seed := blake256.Sum256([]byte("dcrspv demo"))
	key, err := hdkeychain.NewMaster(seed[:], params)
	for _, child := range []uint32{44, params.SLIP0044CoinType, 0} { // BIP 44
		if err == nil {
			key, err = key.Child(hdkeychain.HardenedKeyStart + child)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("demo account: %w", err)
	}
	return key, nil
}

// address derives an address of the account: branch 0 to be paid at, branch 1
// for change.
func (d *demoNetwork) address(account *hdkeychain.ExtendedKey, branch, index uint32) (stdaddr.Address, error) {
	key, err := account.Child(branch)
	if err == nil {
		key, err = key.Child(index)
	}
	if err != nil {
		return nil, fmt.Errorf("demo address: %w", err)
	}
	return stdaddr.NewAddressPubKeyHashEcdsaSecp256k1V0(stdaddr.Hash160(key.SerializedPubKey()), d.params)
}

// mine builds the chain: payments to one address after the other, coins spent
// again with change, a ticket, and a coinbase that is still immature. It
// returns all scripts that ever belonged to the wallet.
func (d *demoNetwork) mine(size demoSize, account *hdkeychain.ExtendedKey) ([][]byte, error) {
	var scripts [][]byte
	script := func(branch, index uint32) ([]byte, error) {
		addr, err := d.address(account, branch, index)
		if err != nil {
			return nil, err
		}
		_, s := addr.PaymentScript()
		scripts = append(scripts, s)
		d.used = append(d.used, addr.String())
		return s, nil
	}
	const tail = 40 // blocks for ticket and coinbase
	var coins []wire.OutPoint
	for i := range size.payments {
		d.chain.Mine((size.blocks-tail)/size.payments - 1)
		to, err := script(0, uint32(i))
		if err != nil {
			return nil, err
		}
		pay := d.chain.Pay(to, int64(1+i%9)*dcrutil.AtomsPerCoin+int64(i))
		txs := []*wire.MsgTx{pay}
		if i%3 == 2 { // spend the oldest coin: a bit to a stranger, the rest back
			change, err := script(1, uint32(i/3))
			if err != nil {
				return nil, err
			}
			spend := d.chain.Spend(coins[:1],
				wire.NewTxOut(1234567, spvtest.Script(uint32(i))), wire.NewTxOut(50_000_000, change))
			coins = coins[1:]
			txs = append(txs, spend)
		}
		coins = append(coins, spvtest.OutPoint(pay, 0))
		d.chain.MineBlock(txs...)
	}
	first := scripts[0]
	d.chain.MineBlock(d.chain.BuyTicket(spvtest.Ticket{Voting: first, Spare: 3 * dcrutil.AtomsPerCoin}))
	for d.chain.Height() < uint32(size.blocks)-1 {
		d.chain.Mine(1)
	}
	d.chain.MineTemplate(spvtest.Template{Coinbase: []*wire.TxOut{wire.NewTxOut(7*dcrutil.AtomsPerCoin, first)}})
	return scripts, nil
}

// addPeers gives the network its inhabitants. The hostile ones come first in
// the list of addresses, so that they are asked early.
func (d *demoNetwork) addPeers(size demoSize) {
	height := d.chain.Height()
	longer := d.chain.Fork(height - 10)
	longer.Mine(15)
	add := func(addr, role string, hostile bool, c *spvtest.Chain, b spvtest.Behaviour) {
		if b.Latency == 0 {
			b.Latency = size.latency
		}
		addr += ":" + d.params.DefaultPort
		d.net.Add(addr, spvtest.NewPeer(c, b))
		d.peers = append(d.peers, demoPeer{addr, hostile, role})
	}
	add("198.51.100.1", "serves false filters", true, d.chain, spvtest.Behaviour{
		BadFilters: spvtest.FiltersFlipped,
	})
	add("198.51.100.2", "has a longer chain, without the work", true, longer, spvtest.Behaviour{
		BadHeaders: spvtest.HeadersBadPoW, BadHeaderAt: height - 9,
	})
	add("198.51.100.3", "is 500 blocks behind", true, d.chain, spvtest.Behaviour{Lag: 500})
	add("198.51.100.4", "claims 100,000 blocks more than there are", true, d.chain, spvtest.Behaviour{
		AdvertisedHeight: int32(height) + 100_000,
	})
	for i := range 8 {
		add(fmt.Sprintf("192.0.2.%d", i+1), "honest", false, d.chain, spvtest.Behaviour{
			Latency: size.latency / 2 * time.Duration(1+i%4),
		})
	}
}
