package wallet

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/decred/dcrd/dcrutil/v4"
	"github.com/decred/dcrd/txscript/v4/stdaddr"
	"github.com/decred/dcrd/wire"
)

func TestTicketLife(t *testing.T) {
	c, w := newWorld(t), open(t)
	watchN(t, w, 0, 1, 2)
	fund := c.pay(out(scriptN(1), 1000))
	c.mine(fund)
	ticket := c.ticket(opOf(fund, 0), addr(2), addr(1), 900, 95)
	c.mine(ticket)
	c.sync(w)
	wantBalance(t, w, 95, 0, 900, 0)
	if u := utxos(t, w); len(u) != 2 {
		t.Fatalf("outputs: %+v", u)
	}

	vote := c.vote(ticket, addr(1), 930)
	c.mine(vote) // height 3
	c.sync(w)
	wantBalance(t, w, 95, 930, 0, 0)
	for c.height() < 18 {
		c.mine()
	}
	c.sync(w)
	wantBalance(t, w, 1025, 0, 0, 0)
	h := history(t, w)
	if len(h) != 3 || h[1].Net != -5 || h[1].Tree != 1 || h[2].Net != 30 || h[2].Tree != 1 {
		t.Fatalf("history: %+v", h)
	}

	// A revoked one.
	second := c.ticket(opOf(ticket, 2), addr(2), addr(1), 90, 4)
	c.mine(second)
	c.mine(c.revoke(second, addr(1), 90))
	c.sync(w)
	wantBalance(t, w, 934, 90, 0, 0)
	if h := history(t, w); h[len(h)-1].Net != 0 || len(h) != 5 {
		t.Fatalf("history: %+v", h)
	}
}

// TestTicketOfOthers: a ticket that the wallet may vote with, but that pays
// somebody else in the end, is not its money, and filters would not show its
// end.
func TestTicketOfOthers(t *testing.T) {
	c, w := newWorld(t), open(t)
	watchN(t, w, 0, 1, 2)
	ticket := c.ticket(c.foreignOutput(), addr(2), addr(777), 900, 95)
	c.mine(ticket, c.pay(out(scriptN(1), 3))) // the block matches because of the other one
	gift := c.ticket(c.foreignOutput(), addr(2), addr(1), 80, 0)
	c.mine(gift)
	c.sync(w)
	wantBalance(t, w, 3, 0, 80, 0)
	c.mine(c.vote(gift, addr(1), 81))
	c.sync(w)
	wantBalance(t, w, 3, 81, 0, 0)
}

// TestTicketBelowBirthday: a ticket is the wallet's if it commits to pay a script
// from that script's birthday on.
func TestTicketBelowBirthday(t *testing.T) {
	c, w := newWorld(t), open(t)
	watchN(t, w, 0, 2)
	watchN(t, w, 3, 1)
	for _, staked := range []dcrutil.Amount{0, 0, 90} {
		c.mine(c.ticket(c.foreignOutput(), addr(2), addr(1), 90, 0), c.pay(out(scriptN(2), 1)))
		c.sync(w)
		wantBalance(t, w, dcrutil.Amount(c.height()), 0, staked, 0)
	}
}

// ticketCase is a ticket of one combination of payer, voter and receivers.
type ticketCase struct {
	name       string
	tx, end    *wire.MsgTx
	owed       int64 // of its price, to us
	bought     int64 // what that did to us
	ended      int64 // likewise, its end
	ours       []stdaddr.StakeAddress
	staysAlone bool // what ends it pays us nothing and takes nothing from us
}

// p2shAddr is the address of the n-th of some scripts.
func p2shAddr(t *testing.T, n uint64) stdaddr.StakeAddress {
	a, err := stdaddr.NewAddressScriptHashV0FromHash(hashed(append([]byte{33}, keyN(n)...)), params)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// ticketCases are tickets of every combination: who pays and who votes is one of us
// or not, each of one to three receivers is an address or a script of ours or a
// stranger, and they vote or are revoked.
func ticketCases(t *testing.T, c *world) (cases []*ticketCase, funds *wire.MsgTx) {
	const fee = 3
	n := uint64(1000)
	fresh := func() uint64 { n++; return n }
	payer := addr(fresh())
	funds = c.pay()
	for _, receivers := range []int{1, 2, 3} {
		combinations := 8
		for range receivers {
			combinations *= 3
		}
		for bits := range combinations {
			tc := &ticketCase{ours: []stdaddr.StakeAddress{payer}}
			pays, votes, revoked := bits&1 == 1, bits&2 == 2, bits&4 == 4
			tc.name = fmt.Sprintf("we pay %v, we vote %v, revoked %v, paid to", pays, votes, revoked)
			voting := addr(1<<40 + fresh())
			if votes {
				voting = addr(fresh())
				tc.ours = append(tc.ours, voting)
			}
			var parts []stakePart
			var owns []bool
			whole, part := int64(0), int64(0)
			for i, kind := 0, bits/8; i < receivers; i, kind = i+1, kind/3 {
				p := stakePart{amount: 100_000_000 + int64(n)*7, change: 11}
				own := kind%3 < 2
				switch kind % 3 {
				case 0:
					p.reward = addr(fresh())
				case 1:
					p.reward = p2shAddr(t, fresh())
				case 2:
					p.reward = addr(1<<40 + fresh())
				}
				tc.name += []string{" us", " a script of ours", " another"}[kind%3]
				whole += p.amount
				if own {
					part += p.amount
					tc.ours = append(tc.ours, p.reward)
					tc.bought += p.change
				}
				parts, owns = append(parts, p), append(owns, own)
			}
			price := whole - fee
			ops := make([]wire.OutPoint, receivers)
			for i := range ops {
				ops[i] = c.foreignOutput()
			}
			if pays {
				funds.TxOut = append(funds.TxOut, out(scriptOf(payer), whole))
				tc.bought -= whole
			}
			tc.owed = price * part / whole
			tc.bought += tc.owed
			gain, tag := int64(1000), byte(0xbb)
			if revoked {
				gain, tag = 0, 0xbc
			}
			var pay []*wire.TxOut
			tc.ended = -tc.owed
			for i, p := range parts {
				o := out(append([]byte{tag}, scriptOf(p.reward)...), (price+gain)*p.amount/whole)
				if owns[i] {
					tc.ended += o.Value
				}
				pay = append(pay, o)
			}
			tc.staysAlone = part == 0
			tc.tx = c.sharedTicket(ops, voting, price, parts...)
			if pays {
				tc.tx.TxIn[0].PreviousOutPoint = wire.OutPoint{Index: uint32(len(funds.TxOut) - 1)} // its hash follows
			}
			tc.end = c.voteFor(tc.tx, pay...)
			if revoked {
				tc.end = c.revokeFor(tc.tx, pay...)
			}
			cases = append(cases, tc)
		}
	}
	for _, tc := range cases {
		if op := &tc.tx.TxIn[0].PreviousOutPoint; op.Hash == (hash{}) {
			op.Hash = funds.TxHash()
		}
		tc.end.TxIn[len(tc.end.TxIn)-1].PreviousOutPoint.Hash = tc.tx.TxHash()
	}
	return cases, funds
}

// TestTicketCombinations: a ticket is a coin of the wallet as far as it is to pay the
// wallet in the end, whoever pays, votes and is paid besides, and in whatever order
// its scripts come to be watched.
// Rule 26.
func TestTicketCombinations(t *testing.T) {
	c := newWorld(t)
	cases, funds := ticketCases(t, c)
	var addrs []string
	for _, tc := range cases {
		for _, a := range tc.ours {
			addrs = append(addrs, a.String())
		}
	}
	c.mine(funds)
	for i := 0; i < len(cases); i += 40 {
		var txs []*wire.MsgTx
		for _, tc := range cases[i:min(i+40, len(cases))] {
			txs = append(txs, tc.tx)
		}
		c.mine(txs...)
	}
	bought := c.height()
	for i := 0; i < len(cases); i += 40 {
		var txs []*wire.MsgTx
		for _, tc := range cases[i:min(i+40, len(cases))] {
			txs = append(txs, tc.end)
		}
		c.mine(txs...)
	}
	check := func(w *Wallet, ended bool) {
		t.Helper()
		verify(t, w)
		nets := make(map[hash]int64)
		for _, tx := range history(t, w) {
			nets[tx.TxID] = int64(tx.Net)
		}
		staked := make(map[hash]int64)
		for _, u := range utxos(t, w) {
			if u.Kind == Ticket {
				staked[u.TxID] += int64(u.Amount)
			}
		}
		for _, tc := range cases {
			id, end := tc.tx.TxHash(), tc.end.TxHash()
			owed, net := tc.owed, int64(0)
			_, shown := nets[end]
			if ended {
				owed, net = 0, tc.ended
			}
			if staked[id] != owed || nets[id] != tc.bought || nets[end] != net || shown != (ended && !tc.staysAlone) {
				t.Errorf("%s: %d locked, not %d; bought %d, not %d; ended %d, not %d (%v)",
					tc.name, staked[id], owed, nets[id], tc.bought, nets[end], net, shown)
			}
		}
	}
	live := open(t)
	watch(t, live, Watch{Addresses: addrs})
	for c.step(live, bought, nil) {
	}
	check(live, false)
	c.sync(live)
	check(live, true)
	if err := live.Rewind(context.Background(), c.id(bought)); err != nil {
		t.Fatal(err)
	}
	check(live, false)
	c.sync(live)
	check(live, true)

	late := open(t)
	for i, a := range addrs { // each third of them comes when the rest was tested on all
		if i%3 == 0 {
			watch(t, late, Watch{Addresses: []string{a}})
		}
	}
	c.sync(late)
	watch(t, late, Watch{Addresses: addrs})
	c.sync(late)
	check(late, true)
	for i, a := range addrs { // and goes, and comes again
		if i%3 == 1 {
			unwatch(t, late, Watch{Addresses: []string{a}})
			watch(t, late, Watch{Addresses: []string{a}})
		}
	}
	c.sync(late)
	check(late, true)
}

// TestVerifyShareOfATicket: that a ticket is worth less than is known to be owed is a
// contradiction; that more may be owed, by scripts not tested yet, is none.
func TestVerifyShareOfATicket(t *testing.T) {
	c, w := newWorld(t), open(t)
	watchN(t, w, 0, 1)
	ticket := c.sharedTicket([]wire.OutPoint{c.foreignOutput(), c.foreignOutput()}, addr(3), 90, stakePart{addr(1), 45, 0}, stakePart{addr(2), 45, 0})
	c.mine(ticket)
	c.sync(w)
	watchN(t, w, 0, 2)
	verify(t, w)
	c.sync(w)
	id := ticket.TxHash()
	if err := w.update(t.Context(), func(c *change) {
		key := outPointKey(&id, 0)
		coin, _ := c.coin(key)
		coin.amount = 45
		c.saveCoin(key, &coin)
		c.updateTx(id)
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Verify(t.Context()); !errors.Is(err, ErrCorrupt) {
		t.Error(err)
	}
}
