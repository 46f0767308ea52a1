package dcrwallet

import (
	"context"
	"errors"
	"sync"

	"dcrspv/filters"
	"dcrspv/spv"
	"dcrspv/spv/chain"

	walleterrors "decred.org/dcrwallet/v5/errors"
	"decred.org/dcrwallet/v5/wallet/udb"
	"github.com/decred/dcrd/hdkeychain/v3"
	"github.com/decred/dcrd/txscript/v4/stdaddr"
	"github.com/jrick/bitset"
)

// discover has the wallet search for the addresses that its blocks from a height on use, and
// for accounts if these are wanted.
//
// The wallet's own search is a bisection that tests all filters some thirty times. But it
// asks the network first if that can tell which addresses are in use (dcrwallet
// wallet/discovery.go: usedAddressesQuerier). So it bisects over what was found here, and no
// filter is tested by it.
func (b *Backend) discover(ctx context.Context, from uint32, tip chain.BlockID, accounts bool) error {
	n := &discoverer{
		Backend: b, ctx: ctx, accounts: accounts,
		blocks: chain.Range{From: from, To: tip.Height}, tip: tip,
		searches: make(map[uint32]func() (map[string]bool, error)),
	}
	return b.w.DiscoverActiveAddresses(ctx, n, &b.w.ChainParams().GenesisHash, accounts, b.w.GapLimit())
}

// discoverer is the network during one search.
type discoverer struct {
	*Backend
	ctx      context.Context
	blocks   chain.Range
	tip      chain.BlockID
	accounts bool

	mu       sync.Mutex                                 // held for moments only
	searches map[uint32]func() (map[string]bool, error) // scripts in use, by the type of coin
}

// UsedAddresses has a bit for each address: whether it is in use, or one after it is, within
// the gap. The wallet makes the search anew, for other keys, after it has changed the type
// of coin that its keys are derived for.
func (d *discoverer) UsedAddresses(ctx context.Context, addrs []stdaddr.Address) (bitset.Bytes, error) {
	used, err := d.search(ctx)
	if err != nil {
		return nil, err
	}
	bits := bitset.NewBytes(len(addrs))
	for i, addr := range addrs {
		if _, script := addr.PaymentScript(); used[string(script)] {
			bits.Set(i)
		}
	}
	return bits, nil
}

// search makes the search for the present type of coin, once.
func (d *discoverer) search(ctx context.Context) (map[string]bool, error) {
	coin, err := d.w.CoinType(ctx)
	if err != nil && !walleterrors.Is(err, walleterrors.WatchingOnly) {
		return nil, err
	}
	d.mu.Lock()
	once := d.searches[coin]
	if once == nil {
		once = sync.OnceValues(d.find)
		d.searches[coin] = once
	}
	d.mu.Unlock()
	return once()
}

// find returns the scripts in use of all accounts.
func (d *discoverer) find() (map[string]bool, error) {
	u := newUsage(d.w.ChainParams(), d.w.GapLimit(), d.cfg.AccountGap)
	if err := d.addAccounts(u); err != nil {
		return nil, err
	}
	if d.accounts {
		coin, err := d.w.CoinTypePrivKey(d.ctx)
		if err != nil {
			return nil, err
		}
		defer coin.Zero()
		u.more = func(account uint32) (*hdkeychain.ExtendedKey, error) {
			key, err := coin.Child(hdkeychain.HardenedKeyStart + account)
			if err != nil {
				return nil, err
			}
			defer key.Zero() // of what a neutered key shares with it, too
			return hdkeychain.NewKeyFromString(key.Neuter().String(), d.w.ChainParams())
		}
	}
	for {
		scripts, err := u.extend()
		if err != nil || len(scripts) == 0 {
			return u.used(), err
		}
		err = d.scan(d.ctx, d.blocks, d.tip.Hash, filters.NewQuery(scripts), func(found spv.Block) error {
			paidScripts(found.Msg, d.w.ChainParams(), u.pay)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
}

// addAccounts adds those that the wallet knows.
func (d *discoverer) addAccounts(u *usage) error {
	known, err := d.w.Accounts(d.ctx)
	if err != nil {
		return err
	}
	for _, account := range known.Accounts {
		if account.AccountNumber == udb.ImportedAddrAccount {
			continue // single keys
		}
		key, err := d.w.AccountXpub(d.ctx, account.AccountNumber)
		if err != nil {
			return err
		}
		// An index of none is -1, and its successor 0.
		err = u.add(account.AccountNumber, key, account.LastUsedExternalIndex+1, account.LastUsedInternalIndex+1)
		if err != nil && !errors.Is(err, hdkeychain.ErrInvalidChild) {
			return err
		}
	}
	return nil
}
