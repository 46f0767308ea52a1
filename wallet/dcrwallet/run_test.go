package dcrwallet

import (
	"context"
	"encoding/hex"
	"os"
	"slices"
	"testing"

	"dcrspv/wallet/dcrwallet/internal/simnet"

	"decred.org/dcrwallet/v5/wallet"
	"decred.org/dcrwallet/v5/wallet/txsizes"
	"decred.org/dcrwallet/v5/wallet/udb"
	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/chaincfg/v3"
	"github.com/decred/dcrd/txscript/v4"
	"github.com/decred/dcrd/txscript/v4/stdaddr"
	"github.com/decred/dcrd/wire"
)

// A wallet restored from its seed lives through what happens to a chain, to nodes and to
// files, and shows what all blocks of a node say.
func TestLife(t *testing.T) {
	t.Parallel()
	n := simnet.Start(t, 2, 150)
	// Some before it is there: on both accounts, across the gap, and a ticket that votes.
	for i := range 12 {
		n.Pay(t, n.External[i], int64(i+1)*simnet.Coin)
	}
	n.Mine(t, 2)
	for _, i := range []int{30, 45} {
		n.Pay(t, n.External[i], simnet.Coin)
	}
	n.Pay(t, n.Single[1], 7*simnet.Coin)
	n.Do(t, "mine", simnet.Args{"n": 6, "tickets": 2, "voter": n.External[2]}, nil)
	c := newClient(t, n, "wallet.db")
	c.start(t)
	c.reaches(t, n, 0)
	if name, err := c.on[0].w.AccountName(t.Context(), 1); err != nil || name != "account-1" {
		t.Fatalf("the second account is %q, %v", name, err)
	}
	for _, s := range scenes {
		t.Log(s.name)
		s.play(t, n, c)
		c.reaches(t, n, 0)
	}
}

// scenes of TestLife. Each ends with a wallet to be compared.
var scenes = []struct {
	name string
	play func(t *testing.T, n *simnet.Network, c *client)
}{
	{"receive", func(t *testing.T, n *simnet.Network, c *client) {
		tx := n.Pay(t, n.External[46], 3*simnet.Coin)
		simnet.Eventually(t, "payment in the wallet before it is mined", func() bool { return isWaiting(t, c.on[0].w, tx.TxID) })
		n.Mine(t, 1)
	}},
	{"send", func(t *testing.T, n *simnet.Network, c *client) {
		txid := send(t, c.on[0], 5*simnet.Coin)
		n.Arrives(t, txid)
		n.Mine(t, 1)
		c.reaches(t, n, 0)
		if !isMined(t, c.on[0].w, txid) {
			t.Fatal("not mined")
		}
	}},
	{"send all of an account, and restart before it is mined", func(t *testing.T, n *simnet.Network, c *client) {
		b := c.on[0]
		ctx, cancel := context.WithTimeout(t.Context(), simnet.Patience)
		defer cancel()
		tx, err := b.w.NewUnsignedTransaction(ctx, nil, 1e4, 1, 1, wallet.OutputSelectionAlgorithmAll, nobody{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		sign(t, b.w, tx.Tx)
		hash, err := b.w.PublishTransaction(ctx, tx.Tx, b)
		if err != nil {
			t.Fatal(err)
		}
		n.Arrives(t, hash.String())
		c.stop()
		c.start(t)
		c.reaches(t, n, 0)
		n.Mine(t, 1)
	}},
	{"reorganization", func(t *testing.T, n *simnet.Network, c *client) {
		n.Pay(t, n.External[5], simnet.Coin)
		n.Mine(t, 2)
		c.reaches(t, n, 0)
		n.Do(t, "reorg", simnet.Args{"depth": 3}, nil)
		c.reaches(t, n, 0)
		n.Mine(t, 1)
	}},
	{"double spend", func(t *testing.T, n *simnet.Network, c *client) {
		first := send(t, c.on[0], 2*simnet.Coin)
		n.Arrives(t, first)
		other := opposite(t, c.on[0].w, first)
		n.Mine(t, 2)
		c.reaches(t, n, 0)
		n.Do(t, "reorg", simnet.Args{"depth": 2, "txs": []string{other}}, nil)
		c.reaches(t, n, 0)
		if isMined(t, c.on[0].w, first) || isWaiting(t, c.on[0].w, first) {
			t.Fatal("both spent")
		}
	}},
	{"disapproval", func(t *testing.T, n *simnet.Network, c *client) {
		n.Pay(t, n.External[6], simnet.Coin)
		n.Mine(t, 1)
		c.reaches(t, n, 0)
		n.Do(t, "mine", simnet.Args{"n": 1, "disapprove": true}, nil)
		c.reaches(t, n, 0)
		n.Mine(t, 1)
	}},
	{"a wallet that is older than the chain", func(t *testing.T, n *simnet.Network, c *client) {
		c.stop()
		old := read(t, c.walletPath("wallet.db"))
		c.start(t)
		n.Pay(t, n.External[7], simnet.Coin)
		n.Mine(t, 2)
		c.reaches(t, n, 0)
		n.Do(t, "reorg", simnet.Args{"depth": 3}, nil)
		c.reaches(t, n, 0)
		c.stop()
		write(t, c.walletPath("wallet.db"), old)
		c.start(t)
		c.reaches(t, n, 0)
		n.Mine(t, 1)
	}},
	{"a chain that is older than the wallet", func(t *testing.T, n *simnet.Network, c *client) {
		c.stop()
		old := read(t, c.chainPath())
		c.start(t)
		n.Pay(t, n.External[8], simnet.Coin)
		n.Mine(t, 2)
		c.reaches(t, n, 0)
		c.stop()
		write(t, c.chainPath(), old)
		c.start(t)
		n.Mine(t, 1)
		c.reaches(t, n, 0)
		c.stop()
		if err := os.Remove(c.chainPath()); err != nil {
			t.Fatal(err)
		}
		c.start(t)
		c.reaches(t, n, 0)
		n.Pay(t, n.External[8], simnet.Coin)
		n.Mine(t, 1)
	}},
	{"all nodes away and back", func(t *testing.T, n *simnet.Network, c *client) {
		for node := range n.P2P {
			n.Do(t, "stop", simnet.Args{"node": node}, nil)
		}
		txid := send(t, c.on[0], simnet.Coin) // nobody hears of it
		for node := range n.P2P {
			n.Do(t, "start", simnet.Args{"node": node}, nil)
		}
		c.reaches(t, n, 0)
		// A node that is not current yet ignores what is announced, and it is announced again
		// only after ten minutes.
		tx := transaction(t, c.on[0].w, txid)
		simnet.Eventually(t, "transaction in the memory pool", func() bool {
			_, err := c.syncer.Publish(t.Context(), tx)
			return err == nil && slices.Contains(n.Mempool(t), txid)
		})
		n.Mine(t, 1)
	}},
	{"another wallet on the Syncer, of the account's key", func(t *testing.T, n *simnet.Network, c *client) {
		c.stop()
		newWatching(t, c.walletPath("watching.db"), n.XPub)
		newWallet(t, c.walletPath("again.db"), simnet.Seed())
		c.names = []string{"wallet.db", "watching.db", "again.db"}
		c.start(t)
		n.Pay(t, n.External[9], simnet.Coin)
		n.Mine(t, 1)
	}},
	{"tickets until one votes", func(t *testing.T, n *simnet.Network, c *client) {
		b := c.on[0]
		n.Pay(t, n.External[1], 50*simnet.Coin)
		n.Mine(t, 1)
		c.reaches(t, n, 0)
		ctx, cancel := context.WithTimeout(t.Context(), simnet.Patience)
		defer cancel()
		bought, err := b.w.PurchaseTickets(ctx, b, &wallet.PurchaseTicketsRequest{Count: 12, MinConf: 1})
		if err != nil {
			t.Fatal(err)
		}
		n.Arrives(t, bought.SplitTx.TxHash().String())
		n.Mine(t, 1) // nodes keep tickets aside until what they spend is mined
		for _, hash := range bought.TicketHashes {
			n.Arrives(t, hash.String())
		}
		n.Mine(t, 1)
		c.reaches(t, n, 0)
		for !voted(t, b.w, bought.TicketHashes) {
			n.Mine(t, 8)
			c.reaches(t, n, 0)
		}
	}},
}

// nobody is somebody whose key nobody has. It takes what is left of a transaction.
type nobody struct{}

// Script is part of txauthor.ChangeSource, and so is ScriptSize.
func (nobody) Script() ([]byte, uint16, error) {
	addr, err := stdaddr.NewAddressPubKeyHashEcdsaSecp256k1V0(make([]byte, 20), chaincfg.SimNetParams())
	if err != nil {
		return nil, 0, err
	}
	version, script := addr.PaymentScript()
	return script, version, nil
}

func (nobody) ScriptSize() int { return txsizes.P2PKHPkScriptSize }

// pay is an output that pays nobody.
func (nobody) pay(t *testing.T, atoms int64) *wire.TxOut {
	t.Helper()
	script, version, err := nobody{}.Script()
	if err != nil {
		t.Fatal(err)
	}
	return &wire.TxOut{Value: atoms, Version: version, PkScript: script}
}

// send pays nobody from account 0.
func send(t *testing.T, b *Backend, atoms int64) (txid string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), simnet.Patience)
	defer cancel()
	hash, err := b.w.SendOutputs(ctx, []*wire.TxOut{nobody{}.pay(t, atoms)}, udb.DefaultAccountNum, udb.DefaultAccountNum, 1)
	if err != nil {
		t.Fatal(err)
	}
	return hash.String()
}

func sign(t *testing.T, w *wallet.Wallet, tx *wire.MsgTx) {
	t.Helper()
	wrong, err := w.SignTransaction(t.Context(), tx, txscript.SigHashAll, nil, nil, nil)
	if err != nil || len(wrong) > 0 {
		t.Fatal(err, wrong)
	}
}

// opposite is a transaction that spends what another one does, in hexadecimal.
func opposite(t *testing.T, w *wallet.Wallet, txid string) string {
	t.Helper()
	tx := transaction(t, w, txid).Copy()
	sum := int64(0)
	for _, out := range tx.TxOut {
		sum += out.Value
	}
	tx.TxOut = []*wire.TxOut{nobody{}.pay(t, sum-1e5)}
	for _, in := range tx.TxIn {
		in.SignatureScript = nil
	}
	sign(t, w, tx)
	raw, err := tx.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(raw)
}

// voted reports whether the wallet knows the vote of one of some tickets.
func voted(t *testing.T, w *wallet.Wallet, tickets []*chainhash.Hash) (any bool) {
	t.Helper()
	for _, hash := range tickets {
		ticket, _, err := w.GetTicketInfo(t.Context(), hash)
		if err != nil {
			t.Fatal(err)
		}
		any = any || ticket.Spender != nil && ticket.Spender.Type == wallet.TransactionTypeVote
	}
	return any
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}
