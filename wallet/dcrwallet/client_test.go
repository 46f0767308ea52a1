package dcrwallet

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"dcrspv/spv"
	"dcrspv/wallet/dcrwallet/internal/simnet"

	walleterrors "decred.org/dcrwallet/v5/errors"
	"decred.org/dcrwallet/v5/wallet"
	_ "decred.org/dcrwallet/v5/wallet/drivers/bdb"
	"github.com/decred/dcrd/blockchain/stake/v5"
	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/chaincfg/v3"
	"github.com/decred/dcrd/dcrutil/v4"
	"github.com/decred/dcrd/wire"
	"github.com/decred/slog"
)

// passphrase is the wallets'.
var passphrase = []byte("passphrase")

// newWallet makes the file of a wallet.
func newWallet(t *testing.T, path string, seed []byte) {
	t.Helper()
	db, err := wallet.CreateDB("bdb", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	err = wallet.Create(t.Context(), db, []byte(wallet.InsecurePubPassphrase), passphrase, seed, chaincfg.SimNetParams())
	if err != nil {
		t.Fatal(err)
	}
}

// newWatching makes the file of a wallet without private keys.
func newWatching(t *testing.T, path, xpub string) {
	t.Helper()
	db, err := wallet.CreateDB("bdb", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	err = wallet.CreateWatchOnly(t.Context(), db, xpub, []byte(wallet.InsecurePubPassphrase), chaincfg.SimNetParams())
	if err != nil {
		t.Fatal(err)
	}
}

// openWallet opens the file of a wallet until the test, or the client that it is for, ends.
func openWallet(t *testing.T, path string, mixing bool) (*wallet.Wallet, wallet.DB) {
	t.Helper()
	db, err := wallet.OpenDB("bdb", path)
	if err != nil {
		t.Fatal(err)
	}
	w, err := wallet.Open(t.Context(), &wallet.Config{
		DB: db, PubPassphrase: []byte(wallet.InsecurePubPassphrase), Params: chaincfg.SimNetParams(),
		GapLimit: wallet.DefaultGapLimit, AccountGapLimit: wallet.DefaultAccountGapLimit,
		RelayFee: 1e4, AllowHighFees: true, MixingEnabled: mixing,
	})
	if err != nil {
		t.Fatal(err)
	}
	if !w.WatchingOnly() {
		if err := w.Unlock(t.Context(), passphrase, nil); err != nil {
			t.Fatal(err)
		}
	}
	return w, db
}

// client is a Syncer with wallets on it. Its files stay when it is stopped.
type client struct {
	dir    string
	peers  []string
	dial   spv.DialFunc
	names  []string // of the wallets' files
	mixing bool
	syncer *spv.Syncer
	on     []*Backend
	stops  []func()
}

func (c *client) walletPath(name string) string { return filepath.Join(c.dir, name) }
func (c *client) chainPath() string             { return filepath.Join(c.dir, spv.ChainFile) }

// newClient makes a client with wallets of the driver's seed.
func newClient(t *testing.T, n *simnet.Network, names ...string) *client {
	t.Helper()
	c := &client{dir: t.TempDir(), peers: n.P2P, names: names}
	for _, name := range names {
		newWallet(t, c.walletPath(name), simnet.Seed())
	}
	return c
}

// start runs the client until it is stopped, or the test ends.
func (c *client) start(t *testing.T) {
	t.Helper()
	s, err := spv.New(spv.Config{Params: chaincfg.SimNetParams(), DataDir: c.dir, Connect: c.peers, Dial: c.dial})
	if err != nil {
		t.Fatal(err)
	}
	c.syncer, c.on = s, nil
	ctx, cancel := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	go func() { ran <- s.Run(ctx) }()
	c.stops = []func(){func() {
		cancel()
		if err := <-ran; err != nil {
			t.Errorf("syncer: %v", err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}}
	for _, name := range c.names {
		w, db := openWallet(t, c.walletPath(name), c.mixing)
		b, err := New(s, w, Config{Log: testLog(t)})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		ran := make(chan error, 1)
		go func() { ran <- b.Run(ctx) }()
		c.on = append(c.on, b)
		c.stops = append(c.stops, func() {
			cancel()
			if err := <-ran; err != nil {
				t.Errorf("wallet %s: %v", name, err)
			}
			if err := db.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	t.Cleanup(c.stop)
}

// stop ends what start began.
func (c *client) stop() {
	for i := len(c.stops) - 1; i >= 0; i-- {
		c.stops[i]()
	}
	c.stops = nil
}

// testLog writes to standard error if the tests are verbose.
func testLog(t *testing.T) slog.Logger {
	if !testing.Verbose() {
		return nil
	}
	return slog.NewBackend(os.Stderr).Logger(t.Name())
}

// reaches waits until all wallets show what a node's tip says, and compares them.
func (c *client) reaches(t *testing.T, n *simnet.Network, node int) {
	t.Helper()
	all := n.Truth(t, node)
	for i, b := range c.on {
		c.waitFor(t, b, all.Tip.Hash)
		if t.Failed() {
			t.Fatalf("wallet %s", c.names[i])
		}
		checkWallet(t, b.w, all)
	}
	if t.Failed() {
		t.FailNow()
	}
}

func (c *client) waitFor(t *testing.T, b *Backend, at string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), simnet.Patience)
	defer cancel()
	for {
		now, changed := b.state.get()
		if now.Stage == Following && now.Tip.Hash.String() == at {
			return
		}
		select {
		case <-changed:
		case <-b.life.Done():
			t.Fatalf("the backend ended at %+v", now)
		case <-ctx.Done():
			t.Fatalf("not at %v but %+v; the syncer: %+v", at, now, c.syncer.Status())
		}
	}
}

// checkWallet compares a wallet with the truth, in atoms.
func checkWallet(t *testing.T, w *wallet.Wallet, all simnet.Truth) {
	t.Helper()
	ctx := t.Context()
	balances, err := w.AccountBalances(ctx, 1)
	if err != nil {
		t.Fatal(err)
	}
	var free, locked dcrutil.Amount
	for _, b := range balances {
		free += b.Spendable + b.ImmatureCoinbaseRewards + b.ImmatureStakeGeneration
		locked += b.LockedByTickets
	}
	want := dcrutil.Amount(all.Balance.Spendable+all.Balance.Immature) - pending(t, w, all)
	if free != want {
		t.Errorf("at %d: %v, want %v", all.Tip.Height, free, want)
	}
	if want := committed(t, w, all); locked != want {
		t.Errorf("at %d: %v in tickets, want %v", all.Tip.Height, locked, want)
	}
	for _, e := range all.History {
		if w.WatchingOnly() {
			break // part of it is of the other account
		}
		if !isMined(t, w, e.TxID) {
			t.Errorf("at %d: %s of tree %d is not mined", all.Tip.Height, e.TxID, e.Tree)
		}
	}
}

// pending is what the wallet's transactions that are in no block spend of mined coins. The
// wallet does not count that any more.
func pending(t *testing.T, w *wallet.Wallet, all simnet.Truth) (sum dcrutil.Amount) {
	t.Helper()
	txs, err := w.UnminedTransactions(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, tx := range txs {
		for _, in := range tx.TxIn {
			for _, u := range all.Utxos {
				if u.TxID == in.PreviousOutPoint.Hash.String() && u.Index == in.PreviousOutPoint.Index {
					sum += dcrutil.Amount(u.Amount)
				}
			}
		}
	}
	return sum
}

// committed is what tickets promise to give back: the wallet counts that, not their price.
func committed(t *testing.T, w *wallet.Wallet, all simnet.Truth) (sum dcrutil.Amount) {
	t.Helper()
	for _, u := range all.Utxos {
		if u.Tree != wire.TxTreeStake || u.Index != 0 {
			continue
		}
		tx := transaction(t, w, u.TxID)
		if tx == nil || !stake.IsSStx(tx) {
			continue
		}
		for i := 1; i < len(tx.TxOut); i += 2 {
			amount, err := stake.AmountFromSStxPkScrCommitment(tx.TxOut[i].PkScript)
			if err != nil {
				t.Fatal(err)
			}
			sum += amount
		}
	}
	return sum
}

func hashOf(t *testing.T, txid string) *chainhash.Hash {
	t.Helper()
	hash, err := chainhash.NewHashFromStr(txid)
	if err != nil {
		t.Fatal(err)
	}
	return hash
}

// transaction is one of the wallet, nil if it does not have it.
func transaction(t *testing.T, w *wallet.Wallet, txid string) *wire.MsgTx {
	t.Helper()
	txs, _, err := w.GetTransactionsByHashes(t.Context(), []*chainhash.Hash{hashOf(t, txid)})
	if err != nil && !walleterrors.Is(err, walleterrors.NotExist) {
		t.Fatal(err)
	}
	if len(txs) == 0 {
		return nil
	}
	return txs[0]
}

// isMined reports whether the wallet has a transaction in a block.
func isMined(t *testing.T, w *wallet.Wallet, txid string) bool {
	t.Helper()
	_, confirmed, _, err := w.TransactionSummary(t.Context(), hashOf(t, txid))
	if err != nil && !walleterrors.Is(err, walleterrors.NotExist) {
		t.Fatal(err)
	}
	return err == nil && confirmed > 0
}

// isWaiting reports whether the wallet has a transaction that is in no block.
func isWaiting(t *testing.T, w *wallet.Wallet, txid string) bool {
	t.Helper()
	_, confirmed, _, err := w.TransactionSummary(t.Context(), hashOf(t, txid))
	if err != nil && !walleterrors.Is(err, walleterrors.NotExist) {
		t.Fatal(err)
	}
	return err == nil && confirmed == 0
}
