package wallet

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/decred/dcrd/blockchain/stake/v5"
	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/wire"
)

// emptyWallet is the file of a wallet to which nothing has happened: to create one
// takes longer than to use it.
var emptyWallet = sync.OnceValues(func() (file []byte, err error) {
	dir, err := os.MkdirTemp("", "wallet")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "wallet.db")
	w, err := Open(path, params)
	if err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

// openFresh opens a wallet file, or makes one.
func openFresh(t *testing.T, path string) *Wallet {
	t.Helper()
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		file, err := emptyWallet()
		if err != nil {
			t.Fatal(err)
		}
		write(t, path, file)
	}
	w, err := Open(path, params)
	if err != nil {
		t.Fatal(err)
	}
	w.db.NoSync = true // no test cuts the power
	return w
}

// compare brings the wallet up to date and compares it with a fresh one.
func (d *freshWorld) compare() error {
	d.tell("compare")
	if err := d.sync(); err != nil {
		return err
	}
	ctx := context.Background()
	list, err := d.w.Watched(ctx)
	if err != nil {
		return err
	}
	waiting, err := d.waiting()
	if err != nil {
		return err
	}
	fresh, err := d.fresh(list, d.w.givenOut())
	if err != nil {
		return err
	}
	defer fresh.discard()
	left, err := d.wait(fresh, waiting)
	if err != nil {
		return err
	}
	for _, u := range left {
		invalid, notTaken := errors.Is(u.refused, ErrInvalid), errors.Is(u.refused, errNotTaken)
		switch {
		case errors.Is(u.refused, ErrTooEarly), // what it spends has to mature again, as the chain has changed below
			!u.Own && invalid, // a block had it, and in this world strangers don't sign
			!u.Own && notTaken && (rivalry(u.Unmined) > 0 || d.beyond(u.Unmined)),
			u.Own && notTaken && len(u.Credits)+len(u.Debits) == 0: // it stays, though nothing of it is watched any more
			d.dropped[u.TxID] = true
			if err := d.w.DropUnmined(ctx, u.TxID); err != nil {
				return err
			}
		case !notTaken: // else that shows
			return fmt.Errorf("waiting: the fresh wallet refuses %s: %w", d.inWords(u.Tx), u.refused)
		}
	}
	if len(left) > 0 { // with what was dropped went what spends it
		for id, is := range d.withSpenders(d.dropped) {
			if !is {
				continue
			}
			if err := errors.Join(fresh.DropUnmined(ctx, id), d.w.DropUnmined(ctx, id)); err != nil {
				return err
			}
		}
	}
	same, e1 := fresh.Unmined(ctx)
	waiting, e2 := d.w.Unmined(ctx)
	if err := errors.Join(e1, e2); err != nil {
		return err
	}
	rivals := slices.ContainsFunc(append(same, waiting...), func(u Unmined) bool { return u.Behind != hash{} })
	want, err := d.shown(fresh, rivals)
	if err != nil {
		return err
	}
	got, err := d.shown(d.w, rivals)
	if err != nil {
		return err
	}
	d.story.compared++
	return differ(got, want)
}

// waiting are the wallet's transactions that wait. Some are dropped before: payments of
// the treasury that have left the chain, and what counts further behind the gap than what
// peers send, of which no peer could tell another wallet, and what was in disapproved blocks and can't be mined any more. Whether a wallet knows
// that depends on which blocks it happened to read.
func (d *freshWorld) waiting() ([]Unmined, error) {
	all, err := d.w.Unmined(context.Background())
	if err != nil {
		return nil, err
	}
	t, gone := d.read(d.all, d.c.height(), true), make(map[hash]bool)
	for tx := range t.void {
		gone[d.id(tx)] = d.dead(t, tx)
	}
	for _, u := range all {
		if gone[u.TxID] || stake.IsTSpend(u.Tx) || !u.Own && d.beyond(u) {
			gone[u.TxID] = true
			if err := d.w.DropUnmined(context.Background(), u.TxID); err != nil {
				return nil, err
			}
		}
	}
	for id, is := range gone {
		d.dropped[id] = d.dropped[id] || is
	}
	return d.w.Unmined(context.Background())
}

// dead reports whether something else in the chain has spent what a transaction spends.
func (d *freshWorld) dead(t *truth, tx *wire.MsgTx) bool {
	if _, mined := t.mined[d.id(tx)]; mined {
		return false
	}
	return slices.ContainsFunc(tx.TxIn, func(in *wire.TxIn) bool {
		op := in.PreviousOutPoint
		_, spent := t.spent[op]
		return spent || d.made[op.Hash] != nil && d.dead(t, d.made[op.Hash])
	})
}

// fresh is another wallet with the same watch set and as many addresses given out of
// each account, at the tip. In what pieces it got there is up to chance.
func (d *freshWorld) fresh(list []Watched, given map[string]uint32) (*Wallet, error) {
	w := openFresh(d.t, filepath.Join(filepath.Dir(d.path), "fresh.db"))
	w.maxAhead = uint32(d.rng.IntN(3)) * 3
	for _, e := range list {
		if err := w.Watch(context.Background(), e.again()); err != nil {
			w.discard()
			return nil, err
		}
	}
	if err := w.giveOut(given); err != nil {
		w.discard()
		return nil, err
	}
	var cut *rand.Rand
	if d.rng.IntN(2) == 0 {
		cut = d.rng
	}
	for d.c.step(w, d.c.height(), cut) {
	}
	return w, nil
}

func (w *Wallet) discard() {
	w.Close()
	os.Remove(w.path)
}

// givenOut is how many addresses of each account NextAddress has given out.
func (w *Wallet) givenOut() map[string]uint32 {
	given := make(map[string]uint32)
	for _, a := range w.accounts {
		given[a.xpub] = a.issued
	}
	return given
}

// giveOut is as if NextAddress had given out as many.
func (w *Wallet) giveOut(given map[string]uint32) error {
	return w.update(context.Background(), func(c *change) {
		for _, a := range w.accounts {
			if a.issue(given[a.xpub]); a.issued > 0 {
				c.saveAccount(a)
			}
		}
	})
}

// wait gives a wallet the transactions that wait, in an order in which each finds what
// it spends, and of own rivals the same one has an effect.
func (d *freshWorld) wait(w *Wallet, waiting []Unmined) (refused []refusedTx, err error) {
	// Those of disapproved blocks it has found itself. Of rivals the one that came first
	// counts, so they have to come again, but for those that the owner has dropped.
	again := d.withSpenders(d.dropped) // also what can't be mined any more, and is not listed
	for _, u := range waiting {
		again[u.TxID] = true
	}
	for id, is := range again {
		if !is {
			continue
		}
		if err := w.DropUnmined(context.Background(), id); err != nil {
			return nil, err
		}
	}
	holds := func(u Unmined) bool {
		now, e := w.Unmined(context.Background())
		err = errors.Join(err, e)
		return slices.ContainsFunc(now, func(n Unmined) bool { return n.TxID == u.TxID })
	}
	left := slices.Clone(waiting)
	slices.SortStableFunc(left, func(a, b Unmined) int { return cmp.Compare(rivalry(a), rivalry(b)) })
	for {
		before := len(left)
		refused = nil
		for _, u := range slices.Clone(left) {
			switch err := tellOf(w, u); {
			case err == nil:
				left = slices.DeleteFunc(left, func(l Unmined) bool { return l.TxID == u.TxID })
			default:
				refused = append(refused, refusedTx{u, err})
			}
		}
		if len(left) == 0 || len(left) == before {
			for _, u := range waiting { // its parent may have come after it, and been in its way
				if !slices.ContainsFunc(refused, func(r refusedTx) bool { return r.TxID == u.TxID }) && !holds(u) {
					refused = append(refused, refusedTx{u, tellOf(w, u)})
				}
			}
			return refused, err
		}
	}
}

// beyond reports whether a transaction that a block had pays what only counts because of
// others that a block had.
func (d *freshWorld) beyond(u Unmined) bool {
	return slices.ContainsFunc(u.Credits, func(cr Credit) bool {
		s := d.w.scripts[string(cr.Script)]
		return s != nil && s.awaited && s.index >= d.w.branchOf(s).derived+d.w.accounts[s.account].gap
	})
}

// rivalry is 1 for a transaction that is behind a rival, else 0.
func rivalry(u Unmined) int {
	if u.Behind != (hash{}) {
		return 1
	}
	return 0
}

// withSpenders are transactions and all that spend them.
func (d *freshWorld) withSpenders(some map[hash]bool) map[hash]bool {
	all := maps.Clone(some)
	for grown := true; grown; {
		grown = false
		for id, tx := range d.made {
			if !all[id] && slices.ContainsFunc(tx.TxIn, func(in *wire.TxIn) bool { return all[in.PreviousOutPoint.Hash] }) {
				all[id], grown = true, true
			}
		}
	}
	return all
}

// refusedTx is one that a wallet refuses, and why.
type refusedTx struct {
	Unmined
	refused error
}

// errNotTaken: a transaction does not concern a wallet, by what it knows.
var errNotTaken = errors.New("not taken")

// tellOf tells a wallet of a transaction as its owner or a peer does.
func tellOf(w *Wallet, u Unmined) error {
	ctx := context.Background()
	if u.Own {
		taken, err := w.AddUnmined(ctx, u.Tx)
		if err == nil && !taken {
			err = errNotTaken
		}
		return err
	}
	if _, err := w.AddRelayed(context.Background(), u.TxID.String(), []*wire.MsgTx{u.Tx}); err != nil {
		return err
	}
	now, err := w.Unmined(ctx)
	if err != nil || slices.ContainsFunc(now, func(n Unmined) bool { return n.TxID == u.TxID }) {
		return err
	}
	if _, err := w.AddUnmined(ctx, u.Tx); err != nil { // tells why
		return err
	}
	return errors.Join(errNotTaken, w.DropUnmined(ctx, u.TxID))
}

// restore looks for all addresses that were given out, with the account as it was
// then.
func (d *freshWorld) restore() error {
	type settings struct {
		key     string
		from    uint32
		gap     uint32
		pubKeys bool
	}
	restored := make(map[settings]map[string]bool)
	for _, given := range d.issued {
		a := given.account
		s := settings{a.XPub, a.From, a.Gap, a.PubKeys}
		if restored[s] == nil {
			w, err := d.fresh([]Watched{a}, nil)
			if err != nil {
				return err
			}
			restored[s] = make(map[string]bool)
			for raw, script := range w.scripts {
				restored[s][scriptAddress([]byte(raw), params)] = script.watched()
			}
			w.discard()
		}
		if !restored[s][given.addr] {
			raw := addressScriptOf(d.t, given.addr)
			return fmt.Errorf("restored: %s was given out and is not found, from %d with gap %d", d.nameOf(string(raw)), a.From, a.Gap)
		}
	}
	return nil
}

// shown is all that a wallet shows, a line each that begins with what it is. Of rivals
// which one has an effect depends on which came first, and on whether a block had it.
func (d *freshWorld) shown(w *Wallet, rivals bool) (lines []string, err error) {
	ctx := context.Background()
	add := func(what, format string, args ...any) {
		lines = append(lines, what+": "+fmt.Sprintf(format, args...))
	}
	watched, e1 := w.Watched(ctx)
	for _, e := range watched {
		add("watched", "%s%s %.4v:%d from %d label %q gap %d, %d and %d, public keys %v script %x",
			e.XPub, e.Address, e.TxID, e.Index, e.From, e.Label, e.Gap, e.External, e.Internal, e.PubKeys, e.Script)
	}
	from, through, any := w.Scanned(d.c.height())
	add("scanned", "%d to %d, %v", from, through, any)
	history, e2 := w.History(ctx)
	for _, tx := range history {
		add("history", "%v tree %d height %d index %d block %v time %v net %d label %q raw %v",
			tx.TxID, tx.Tree, tx.Height, tx.Index, tx.Block, tx.Time, int64(tx.Net), tx.Label, chainhash.HashH(tx.Raw))
	}
	coins, e3 := w.UTXOs(ctx)
	for _, u := range coins {
		add("coins", "%v:%d tree %d amount %d height %d %v %s script %x label %q spendable %v matures %d",
			u.TxID, u.Index, u.Tree, int64(u.Amount), u.Height, u.Kind, u.Address, u.Script, u.Label, u.Spendable, u.Matures)
	}
	b, e4 := w.Balance(ctx)
	if rivals {
		b.Unconfirmed = 0
	}
	add("balance", "%d %d %d %d %d %v", int64(b.Spendable), int64(b.Immature), int64(b.Staked), int64(b.Total), int64(b.Unconfirmed), b.ByKind)
	first := len(lines)
	tickets, e5 := w.Tickets(ctx)
	for _, t := range tickets {
		add("tickets", "%+v", t)
	}
	waiting, e6 := w.Unmined(ctx)
	for _, u := range waiting {
		if rivals {
			u.Net = 0
		}
		add("waiting", "%s own %v net %d credits %v debits %v", d.inWords(u.Tx), u.Own, int64(u.Net), u.Credits, u.Debits)
	}
	slices.Sort(lines[first:]) // the order is that of arrival, which differs
	for _, e := range watched {
		if e.XPub == "" {
			continue
		}
		addr, err := w.AddressOf(ctx, e.XPub)
		add("address", "%s %s %v", e.XPub, addr, err)
	}
	warnings, e7 := w.Warnings(ctx)
	for _, warning := range warnings {
		add("warnings", "%+v", warning)
	}
	return lines, errors.Join(e1, e2, e3, e4, e5, e6, e7)
}

// differ is the difference of what two wallets show.
func differ(got, want []string) error {
	if slices.Equal(got, want) {
		return nil
	}
	only := func(a, b []string) (out string) {
		for _, line := range a {
			if !slices.Contains(b, line) {
				out += "\n  " + line
			}
		}
		return out
	}
	return fmt.Errorf("shown only by the wallet:%s\nonly by a fresh one:%s", only(got, want), only(want, got))
}

// freshFailure is the kind of a failure: what differs first.
func freshFailure(err error) string {
	_, text, ok := strings.Cut(err.Error(), "\n  ")
	if !ok {
		text = err.Error()
	}
	kind, _, _ := strings.Cut(text, ": ")
	return kind
}
