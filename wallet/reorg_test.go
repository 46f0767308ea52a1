package wallet

import (
	"encoding/binary"
	"slices"
	"testing"

	"github.com/decred/dcrd/blockchain/stake/v5"
	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/decred/dcrd/dcrutil/v4"
	"github.com/decred/dcrd/txscript/v4"
	"github.com/decred/dcrd/txscript/v4/stdaddr"
	"github.com/decred/dcrd/wire"
)

// onBranch has a wallet follow a branch from height 1 that is two blocks longer
// than the present chain, whose first block has the given transactions.
func onBranch(t *testing.T, c *world, w *Wallet, txs ...*wire.MsgTx) *world {
	t.Helper()
	d := c.fork(1)
	d.mine(txs...)
	for d.height() < c.height()+2 {
		d.mine()
	}
	d.sync(w)
	return d
}

// branching makes a wallet with a coin of 100 in block 1.
func branching(t *testing.T) (c *world, w *Wallet, fund *wire.MsgTx) {
	c, w = newWorld(t), open(t)
	watchN(t, w, 0, 1, 2)
	fund = c.pay(out(scriptN(1), 100))
	c.mine(fund)
	return c, w, fund
}

// lastEvents are the kinds of the last events, and the last one about a
// transaction.
func lastEvents(t *testing.T, w *Wallet, n int) ([]string, map[chainhash.Hash]Event) {
	t.Helper()
	of := make(map[chainhash.Hash]Event)
	all := logged(t, w)
	for _, ev := range all {
		of[ev.Tx] = ev
	}
	k := kinds(all)
	return k[max(0, len(k)-n):], of
}

// TestReorgDrops: a payment that the new branch does not have is unconfirmed
// again, and confirms when it does.
// Rules 8 and 13.
func TestReorgDrops(t *testing.T) {
	c, w, _ := branching(t)
	pay := c.pay(out(scriptN(1), 50))
	c.mine(pay)
	c.sync(w)
	wantBalance(t, w, 150, 0, 0, 0)
	d := onBranch(t, c, w)
	wantBalance(t, w, 100, 0, 0, 50)
	if got, _ := lastEvents(t, w, 2); !slices.Equal(got, []string{"reorg", "unmined"}) {
		t.Fatalf("events %v", got)
	}
	d.mine(pay)
	d.sync(w)
	wantBalance(t, w, 150, 0, 0, 0)
}

// TestReorgDoubleSpends: the payer sends the money to himself on the new branch,
// in a block that neither pays the wallet nor takes anything from it.
// Rule 8.
func TestReorgDoubleSpends(t *testing.T) {
	key := append([]byte{2}, make([]byte, 32)...)
	redeem := []byte{txscript.OP_TRUE}
	for name, kind := range map[string]struct {
		script string
		input  []byte
	}{
		"key":    {"\x76\xa9\x14" + string(dcrutil.Hash160(key)) + "\x88\xac", append([]byte{1, 0, 33}, key...)},
		"script": {"\xa9\x14" + string(dcrutil.Hash160(redeem)) + "\x87", []byte{1, 0, 1, txscript.OP_TRUE}},
	} {
		t.Run(name, func(t *testing.T) {
			c, w, _ := branching(t)
			funds := c.pay(out([]byte(kind.script), 60))
			c.mine(funds)
			fork := c.height()
			pay := c.spend(outPoints(funds, 0), out(scriptN(1), 50))
			pay.TxIn[0].SignatureScript = kind.input
			child := c.spend(outPoints(pay, 0), out(scriptN(2), 49))
			c.mine(pay)
			c.mine(child)
			c.sync(w)
			wantBalance(t, w, 149, 0, 0, 0)
			rival := c.spend(outPoints(funds, 0), out(foreignScript(7), 55))
			d := c.fork(fork)
			for range 3 {
				d.mine()
			}
			d.mine(rival)
			d.sync(w)
			wantBalance(t, w, 100, 0, 0, 0)
			_, of := lastEvents(t, w, 0)
			if ev := of[pay.TxHash()]; ev.Kind != EventConflicted || ev.By != rival.TxHash() {
				t.Fatalf("%+v", ev)
			}
			if ev := of[child.TxHash()]; ev.Kind != EventConflicted || ev.By != pay.TxHash() {
				t.Fatalf("%+v", ev)
			}
			if len(w.contested) != 0 || len(unmined(t, w)) != 0 {
				t.Fatal("still searched for")
			}
			// Back on the first branch both count again.
			for c.height() <= d.height() {
				c.mine()
			}
			c.sync(w)
			wantBalance(t, w, 149, 0, 0, 0)
		})
	}
}

// TestReorgStealsCoin: on the new branch somebody else's transaction spends the
// wallet's coin and pays it nothing.
// Rule 8.
func TestReorgStealsCoin(t *testing.T) {
	c, w, fund := branching(t)
	mine := c.spend(outPoints(fund, 0), out(scriptN(2), 99))
	child := c.spend(outPoints(mine, 0), out(scriptN(2), 98))
	c.mine(mine)
	c.mine(child)
	c.sync(w)
	rival := c.spend(outPoints(fund, 0), out(foreignScript(1), 99))
	onBranch(t, c, w, rival)
	wantBalance(t, w, 0, 0, 0, 0)
	_, of := lastEvents(t, w, 0)
	if ev := of[mine.TxHash()]; ev.Kind != EventConflicted || ev.By != rival.TxHash() {
		t.Fatalf("%+v", ev)
	}
	if ev := of[child.TxHash()]; ev.Kind != EventConflicted || ev.By != mine.TxHash() {
		t.Fatalf("%+v", ev)
	}
	if ev := of[rival.TxHash()]; ev.Kind != EventMined || ev.Net != -100 {
		t.Fatalf("%+v", ev)
	}
}

// tspend pays an address from the treasury.
func (c *world) tspend(to stdaddr.StakeAddress, amount int64) *wire.MsgTx {
	key := secp256k1.PrivKeyFromBytes([]byte{9}).PubKey().SerializeCompressed()
	sig := append([]byte{txscript.OP_DATA_64}, make([]byte, 64)...)
	sig = append(append(append(sig, txscript.OP_DATA_33), key...), txscript.OP_TSPEND)
	data := append([]byte{txscript.OP_RETURN, txscript.OP_DATA_32}, make([]byte, 32)...)
	binary.BigEndian.PutUint64(data[2:], c.next())
	_, pay := to.PayFromTreasuryScript()
	tx := wire.NewMsgTx()
	tx.Version = wire.TxVersionTreasury
	tx.Expiry = 1000
	tx.AddTxIn(wire.NewTxIn(&wire.OutPoint{Index: wire.MaxPrevOutIndex}, wire.NullValueIn, sig))
	tx.TxOut = []*wire.TxOut{out(data, 0), out(pay, amount)}
	if !stake.IsTSpend(tx) {
		c.t.Fatal("not a treasury spend")
	}
	return tx
}

// TestReorgVoids: what belongs to its place in the chain is gone with it, and so
// is what spends it.
func TestReorgVoids(t *testing.T) {
	for name, make := range map[string]func(c *world, fund *wire.MsgTx) (before, void *wire.MsgTx){
		"coinbase": func(c *world, _ *wire.MsgTx) (*wire.MsgTx, *wire.MsgTx) { return nil, c.coinbase(scriptN(1), 30) },
		"vote": func(c *world, _ *wire.MsgTx) (*wire.MsgTx, *wire.MsgTx) {
			ticket := c.ticket(c.foreignOutput(), addr(1), addr(1), 29, 0)
			return ticket, c.vote(ticket, addr(1), 30)
		},
		"revocation": func(c *world, _ *wire.MsgTx) (*wire.MsgTx, *wire.MsgTx) {
			ticket := c.ticket(c.foreignOutput(), addr(1), addr(1), 29, 0)
			tx := c.revoke(ticket, addr(1), 29)
			tx.Version = stake.TxVersionAutoRevocations // DCP0009: the block has to have it
			return ticket, tx
		},
	} {
		t.Run(name, func(t *testing.T) {
			c, w, fund := branching(t)
			before, void := make(c, fund)
			if before != nil {
				c.mine(before)
			}
			fork := c.height()
			c.mine(void)
			index := uint32(len(void.TxOut) - 1)
			if isCoinbase(void) {
				index = 0
			}
			child := c.spend(outPoints(void, index), out(scriptN(2), 20))
			c.mine(child)
			c.sync(w)
			d := c.fork(fork)
			for range 4 {
				d.mine()
			}
			d.sync(w)
			staked := dcrutil.Amount(0)
			if before != nil {
				staked = 29
			}
			wantBalance(t, w, 100, 0, staked, 0)
			_, of := lastEvents(t, w, 0)
			for _, tx := range []*wire.MsgTx{void, child} {
				if ev := of[tx.TxHash()]; ev.Kind != EventRemoved {
					t.Fatalf("%+v", ev)
				}
			}
			if len(unmined(t, w)) != 0 {
				t.Fatal("void and unmined")
			}
		})
	}
}

// TestReorgStakeTree: a ticket may be bought again in another block, and stays
// dead where its coin is spent differently.
func TestReorgStakeTree(t *testing.T) {
	for _, stolen := range []bool{false, true} {
		c, w, fund := branching(t)
		ticket := c.ticket(opOf(fund, 0), addr(2), addr(1), 80, 15)
		c.mine(ticket)
		c.sync(w)
		wantBalance(t, w, 15, 0, 80, 0)
		if !stolen {
			d := onBranch(t, c, w)
			wantBalance(t, w, 100, 0, 0, -5)
			d.mine(ticket)
			d.sync(w)
			wantBalance(t, w, 15, 0, 80, 0)
			continue
		}
		onBranch(t, c, w, c.spend(outPoints(fund, 0)))
		wantBalance(t, w, 0, 0, 0, 0)
		if _, of := lastEvents(t, w, 0); of[ticket.TxHash()].Kind != EventConflicted {
			t.Fatalf("%+v", of[ticket.TxHash()])
		}
	}
}

// TestDisapprovedComesBack: a transaction of a disapproved block is mined again
// some blocks later, or its coin is spent differently.
// Rule 8.
func TestDisapprovedComesBack(t *testing.T) {
	for _, stolen := range []bool{false, true} {
		c, w, fund := branching(t)
		pay := c.spend(outPoints(fund, 0), out(scriptN(2), 90))
		c.mine(pay)
		c.sync(w)
		c.mineVoted(false)
		c.mine()
		c.sync(w)
		wantBalance(t, w, 100, 0, 0, -10)
		if stolen {
			c.mine(c.spend(outPoints(fund, 0)))
			c.sync(w)
			wantBalance(t, w, 0, 0, 0, 0)
			if got, _ := lastEvents(t, w, 2); !slices.Equal(got, []string{"conflicted", "mined"}) {
				t.Fatalf("events %v", got)
			}
			continue
		}
		c.mine(pay)
		c.sync(w)
		wantBalance(t, w, 90, 0, 0, 0)
		if got, _ := lastEvents(t, w, 4); !slices.Equal(got, []string{"mined", "disapproved", "unmined", "mined"}) {
			t.Fatalf("events %v", got)
		}
	}
}

// TestOwnSpendStaysWatched: a pending transaction of the owner that leaves
// nothing to the wallet is found when it is mined: the script that it spends is
// watched, be it derived, and until it is unwatched.
// Rule 19.
func TestOwnSpendStaysWatched(t *testing.T) {
	c, w := newWorld(t), open(t)
	key := testXPub(t, 1)
	watch(t, w, Watch{XPubs: []string{key}})
	watchN(t, w, 0, 1)
	c.mine(c.pay(out(scriptOf(keyAddr(t, key, 1, 19)), 1)))
	fund := c.pay(out(scriptOf(keyAddr(t, key, 1, 30)), 100), out(scriptOf(keyAddr(t, key, 1, 31)), 50))
	c.mine(fund)
	c.sync(w)
	tx, later := c.spend(outPoints(fund, 0)), c.spend(outPoints(fund, 1))
	addUnmined(t, w, tx)
	addUnmined(t, w, later)
	if err := w.Unwatch(background(), Watch{Addresses: []string{addr(1).String()}}); err != nil {
		t.Fatal(err)
	}
	path := w.path
	w.Close()
	w = openAt(t, path)
	c.mine(tx)
	c.sync(w)
	wantBalance(t, w, 51, 0, 0, -50)
	if err := w.Unwatch(background(), Watch{XPubs: []string{key}}); err != nil {
		t.Fatal(err)
	}
	if len(unmined(t, w)) != 0 || len(pendingIDs(t, w)) != 0 {
		t.Fatal("waits for what nobody watches")
	}
}

// TestUnwatchTicket: a ticket that is neither paid for by the wallet nor pays it
// is gone: filters would not show its end.
func TestUnwatchTicket(t *testing.T) {
	c, w := newWorld(t), open(t)
	watchN(t, w, 0, 1, 2, 3)
	gift := c.ticket(c.foreignOutput(), addr(2), addr(1), 80, 5)
	voted := c.ticket(c.foreignOutput(), addr(2), addr(1), 60, 5)
	kept := c.ticket(c.foreignOutput(), addr(2), addr(3), 40, 5)
	c.mine(gift, voted, kept)
	c.mine(c.vote(voted, addr(1), 61))
	c.sync(w)
	wantBalance(t, w, 15, 61, 120, 0)
	if err := w.Unwatch(background(), Watch{Addresses: []string{addr(1).String()}}); err != nil {
		t.Fatal(err)
	}
	verify(t, w)
	wantBalance(t, w, 5, 0, 40, 0)
	if h := history(t, w); len(h) != 1 || h[0].TxID != kept.TxHash() {
		t.Fatalf("history %+v", h)
	}
}

// TestUnwatchParent: a pending transaction that pays what is still watched stays
// when the one that it spends goes.
func TestUnwatchParent(t *testing.T) {
	c, w := newWorld(t), open(t)
	watchN(t, w, 0, 1, 2)
	parent := c.pay(out(scriptN(1), 100))
	child := c.spend(outPoints(parent, 0), out(scriptN(2), 99))
	addUnmined(t, w, parent)
	addUnmined(t, w, child)
	if err := w.Unwatch(background(), Watch{Addresses: []string{addr(1).String()}}); err != nil {
		t.Fatal(err)
	}
	if ids := pendingIDs(t, w); len(ids) != 1 || ids[0] != child.TxHash() {
		t.Fatalf("waiting: %v", ids)
	}
}
