package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"decred.org/dcrwallet/v5/wallet"
	_ "decred.org/dcrwallet/v5/wallet/drivers/bdb" // the format of its file
	"decred.org/dcrwallet/v5/wallet/udb"
	"decred.org/dcrwallet/v5/walletseed"
	"github.com/decred/dcrd/hdkeychain/v3"
)

// walletPath is the wallet's file.
func (p *program) walletPath() string { return filepath.Join(p.dir(), "wallet.db") }

// runCreate makes a wallet of a new seed.
func (p *program) runCreate(ctx context.Context) error {
	seed, err := walletseed.GenerateRandomSeed(hdkeychain.RecommendedSeedLen)
	if err != nil {
		return err
	}
	if err := p.free(); err != nil {
		return err
	}
	pass, err := p.secrets.passphrase(true)
	if err != nil {
		return err
	}
	born := &udb.BirthdayState{Time: time.Now().Add(-24 * time.Hour), SetFromTime: true}
	err = p.make(ctx, born, func(ctx context.Context, db wallet.DB) error {
		return wallet.Create(ctx, db, []byte(wallet.InsecurePubPassphrase), pass, seed, p.params())
	}, (*wallet.Wallet).UpgradeToSLIP0044CoinType)
	if err != nil {
		return err
	}
	words := walletseed.EncodeMnemonicSlice(seed)
	fmt.Fprintln(p.stderr, "The wallet is made. Write down its seed, these words in their order:")
	for len(words) > 0 {
		n := min(6, len(words))
		if _, err := fmt.Fprintln(p.stdout, strings.Join(words[:n], " ")); err != nil {
			// Nobody has the seed. A wallet without it must not be paid.
			return errors.Join(err, os.Remove(p.walletPath()))
		}
		words = words[n:]
	}
	return nil
}

// runRestore makes a wallet of a seed that there is.
func (p *program) runRestore(ctx context.Context) error {
	born, err := p.birthday()
	if err != nil {
		return err
	}
	if err := p.free(); err != nil {
		return err
	}
	pass, err := p.secrets.passphrase(true)
	if err != nil {
		return err
	}
	answer, err := p.secrets.ask("Seed")
	if err != nil {
		return err
	}
	seed, err := walletseed.DecodeUserInput(strings.TrimSpace(answer))
	if err != nil {
		return fmt.Errorf("%w: %w", errSeed, err)
	}
	err = p.make(ctx, born, func(ctx context.Context, db wallet.DB) error {
		return wallet.Create(ctx, db, []byte(wallet.InsecurePubPassphrase), pass, seed, p.params())
	}, nil)
	if err == nil {
		fmt.Fprintln(p.stderr, "The wallet is made. sync finds its accounts and coins.")
	}
	return err
}

// runWatch makes a wallet of the key of an account.
func (p *program) runWatch(ctx context.Context) error {
	born, err := p.birthday()
	if err != nil {
		return err
	}
	if err := p.free(); err != nil {
		return err
	}
	err = p.make(ctx, born, func(ctx context.Context, db wallet.DB) error {
		return wallet.CreateWatchOnly(ctx, db, p.args[0], []byte(wallet.InsecurePubPassphrase), p.params())
	}, nil)
	if err == nil {
		fmt.Fprintln(p.stderr, "The wallet is made. sync finds its coins.")
	}
	return err
}

// birthday reads the option. Without it a wallet is as old as the chain.
func (p *program) birthday() (*udb.BirthdayState, error) {
	if p.opts.birthday == "" {
		return &udb.BirthdayState{SetFromHeight: true}, nil
	}
	if height, err := strconv.ParseUint(p.opts.birthday, 10, 31); err == nil {
		return &udb.BirthdayState{Height: uint32(height), SetFromHeight: true}, nil
	}
	day, err := time.Parse(time.DateOnly, p.opts.birthday)
	if err != nil {
		return nil, usage("give --birthday as a height or as YYYY-MM-DD")
	}
	return &udb.BirthdayState{Time: day.Add(-24 * time.Hour), SetFromTime: true}, nil
}

// free fails if there is a wallet already.
func (p *program) free() error {
	_, err := os.Stat(p.walletPath())
	switch {
	case err == nil:
		return fmt.Errorf("%w: %s", errWallet, p.walletPath())
	case errors.Is(err, fs.ErrNotExist):
		return nil
	}
	return err
}

// make makes the wallet's file. Nothing is left of one that is not complete.
func (p *program) make(ctx context.Context, born *udb.BirthdayState, fill func(context.Context, wallet.DB) error, then func(*wallet.Wallet, context.Context) error) (err error) {
	unfinished := p.walletPath() + ".new"
	if err := os.RemoveAll(unfinished); err != nil {
		return err
	}
	db, err := wallet.CreateDB("bdb", unfinished)
	if err != nil {
		return err
	}
	defer os.RemoveAll(unfinished)
	err = fill(ctx, db)
	if err == nil {
		var w *wallet.Wallet
		if w, err = p.open(ctx, db); err == nil {
			err = w.SetBirthState(ctx, born)
		}
		if err == nil && then != nil {
			err = then(w, ctx)
		}
	}
	if err := errors.Join(err, db.Close()); err != nil {
		return err
	}
	return os.Rename(unfinished, p.walletPath())
}

// open opens the wallet of a file.
func (p *program) open(ctx context.Context, db wallet.DB) (*wallet.Wallet, error) {
	return wallet.Open(ctx, &wallet.Config{
		DB: db, PubPassphrase: []byte(wallet.InsecurePubPassphrase), Params: p.params(),
		GapLimit: wallet.DefaultGapLimit, AccountGapLimit: wallet.DefaultAccountGapLimit,
		RelayFee: relayFee,
	})
}
