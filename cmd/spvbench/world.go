package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"dcrspv/spv/spvtest"

	"github.com/decred/dcrd/chaincfg/v3"
	"github.com/decred/dcrd/dcrutil/v4"
	"github.com/decred/dcrd/hdkeychain/v3"
	"github.com/decred/dcrd/txscript/v4/stdaddr"
	"github.com/decred/dcrd/wire"
)

// filterItems is how many scripts of nobody each block pays: filters of 240
// bytes on average.
const filterItems = 90

// spendEvery: every so manyth relevant block spends, the others pay.
const spendEvery = 5

// world is the synthetic simnet chain that everything is measured on. The same
// world is the same chain, to the last bit, whenever it is made.
type world struct {
	Blocks    int // without the genesis block
	Relevant  int // of them concern the account
	Addresses int // of the account that are used
}

// worldOf is a chain of a number of blocks with as much in it for the account as
// goes with its length: 500 blocks and 200 addresses for 100,000, 2,000 and 400
// for a million.
func worldOf(blocks int) world {
	const knee = 100_000
	if blocks <= knee {
		return world{blocks, max(10, blocks/200), max(5, blocks/500)}
	}
	more := blocks - knee
	return world{blocks, 500 + more/600, 200 + more/4500}
}

// external and internal are how many addresses of each branch are used.
func (w world) external() int { return w.Addresses - w.internal() }
func (w world) internal() int { return w.Addresses / spendEvery }

// account is the account whose transactions are in the chain, as an extended
// key. Its seed is nobody's secret.
func account() (*hdkeychain.ExtendedKey, error) {
	const purpose, slip0044, first = 44, 1, 0 // coin type 1: all test networks
	seed := make([]byte, hdkeychain.RecommendedSeedLen)
	copy(seed, "spvbench: worth nothing at all")
	key, err := hdkeychain.NewMaster(seed, chaincfg.SimNetParams())
	for _, index := range []uint32{purpose, slip0044, first} {
		if err != nil {
			return nil, err
		}
		key, err = key.Child(hdkeychain.HardenedKeyStart + index)
	}
	if err != nil {
		return nil, err
	}
	return key.Neuter(), nil
}

// branch returns the scripts of the first n addresses of a branch of the account.
func branch(acct *hdkeychain.ExtendedKey, number uint32, n int) ([][]byte, error) {
	key, err := acct.Child(number)
	if err != nil {
		return nil, err
	}
	scripts := make([][]byte, 0, n)
	for i := range uint32(n) {
		child, err := key.Child(i)
		if err != nil {
			return nil, err
		}
		hash := dcrutil.Hash160(child.SerializedPubKey())
		addr, err := stdaddr.NewAddressPubKeyHashEcdsaSecp256k1V0(hash, chaincfg.SimNetParams())
		if err != nil {
			return nil, err
		}
		_, script := addr.PaymentScript()
		scripts = append(scripts, script)
	}
	return scripts, nil
}

// scripts returns those of all addresses that are used.
func (w world) scripts() (external, internal [][]byte, err error) {
	acct, err := account()
	if err != nil {
		return nil, nil, err
	}
	external, err = branch(acct, 0, w.external())
	if err != nil {
		return nil, nil, err
	}
	internal, err = branch(acct, 1, w.internal())
	return external, internal, err
}

// build makes the chain. Addresses are used for the first time in the order of
// their numbers, so that a wallet finds all of them by its gap limit.
func (w world) build() (*spvtest.Chain, error) {
	external, internal, err := w.scripts()
	if err != nil {
		return nil, err
	}
	c := spvtest.NewChain(nil, spvtest.FilterItems(filterItems))
	spends := w.Relevant / spendEvery
	pays := w.Relevant - spends
	var coins []wire.OutPoint
	for k := range w.Relevant {
		height := (k + 1) * w.Blocks / (w.Relevant + 1)
		c.Mine(height - 1 - int(c.Height()))
		spent := k / spendEvery // so far
		if k%spendEvery == spendEvery-1 {
			to := internal[spent*len(internal)/spends]
			c.MineBlock(c.Spend(coins[:1], wire.NewTxOut(int64(1e6+k), to)))
			coins = coins[1:]
			continue
		}
		pay := c.Pay(external[(k-spent)*len(external)/pays], int64(1e8+k))
		coins = append(coins, spvtest.OutPoint(pay, 0))
		c.MineBlock(pay)
	}
	c.Mine(w.Blocks - int(c.Height()))
	return c, nil
}

// file is where a world's chain is kept.
func (w world) file(dir string) string {
	return filepath.Join(dir, fmt.Sprintf("chain-%d-%d-%d-%d", w.Blocks, w.Relevant, w.Addresses, filterItems))
}

// open returns the chain: from its file, or made and put there.
func (w world) open(dir string) (*spvtest.Chain, error) {
	path := w.file(dir)
	c, err := load(path)
	if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, spvtest.ErrStored) {
		return c, err
	}
	if c, err = w.build(); err != nil {
		return nil, err
	}
	return c, save(c, path)
}

func load(path string) (*spvtest.Chain, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return spvtest.Load(f, nil, spvtest.FilterItems(filterItems))
}

// save writes under another name first: an interrupt leaves no half of a file.
func save(c *spvtest.Chain, path string) error {
	f, err := os.CreateTemp(filepath.Dir(path), "making-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	err = errors.Join(c.Save(f), f.Close())
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
