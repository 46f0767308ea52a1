package wallet

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"dcrspv/spv/chain"

	"github.com/decred/dcrd/txscript/v4"
	"github.com/decred/dcrd/wire"
)

// checkTaken: a transaction that pays watched scripts is taken, and one that
// can't be mined is refused.
func (d *driver) checkTaken(tx *wire.MsgTx, taken bool, refused error) {
	d.t.Helper()
	ids, err := d.w.Locator(context.Background())
	if err != nil {
		d.t.Fatal(err)
	}
	switch {
	case taken && refused != nil:
		d.t.Fatalf("taken and refused: %v", refused)
	case errors.Is(refused, ErrExpired) && (tx.Expiry == 0 || len(ids) == 0 || ids[0].Height+1 < tx.Expiry):
		d.t.Fatalf("%v at tip %v", refused, ids)
	case d.paysWatched(tx) && !taken && refused == nil:
		d.t.Fatalf("%v pays watched scripts and was not taken", tx.TxHash())
	}
}

// checkWaiting: no transaction waits that is mined or can't be, and if all is
// tested, all that can be mined and concern the wallet do.
func (d *driver) checkWaiting(complete bool) {
	d.t.Helper()
	ctx := context.Background()
	ids, err := d.w.Locator(context.Background())
	if err != nil {
		d.t.Fatal(err)
	}
	for _, tx := range history(d.t, d.w) {
		d.known[tx.TxID] = true
		delete(d.dropped, tx.TxID)
		delete(d.hearsay, tx.TxID)
	}
	waiting := unmined(d.t, d.w)
	listed, entries := make(map[hash]bool), d.entries()
	for _, u := range waiting {
		tx := d.made[u.TxID]
		if tx == nil || listed[u.TxID] || u.Tx.TxHash() != u.TxID {
			d.t.Fatalf("%v waits and was never made, or twice", u.TxID)
		}
		if tx.Expiry != 0 && len(ids) > 0 && ids[0].Height+1 >= tx.Expiry {
			d.t.Fatalf("%v waits, and expired at %d, at tip %d", u.TxID, tx.Expiry, ids[0].Height)
		}
		if u.Own && !d.own[u.TxID] {
			d.t.Fatalf("%v waits and counts as our own", u.TxID)
		}
		listed[u.TxID] = true
		for _, script := range d.matters(tx) {
			if _, ok := d.set[script]; ok && len(ids) > 0 && d.w.ledger.Covered(entries[script]).Contains(ids[0].Height+1) {
				d.t.Fatalf("%v waits, and what it pays is not looked for in the next block", u.TxID)
			}
		}
		for _, o := range d.spentPoints(tx) {
			if len(ids) > 0 && d.w.ledger.Covered(entries[pointKey(o)]).Contains(ids[0].Height+1) {
				d.t.Fatalf("%v waits, and what it spends is not looked for in the next block", u.TxID)
			}
		}
		if _, gone := d.dropped[u.TxID]; !gone {
			d.known[u.TxID] = true
		}
	}
	d.checkSound(waiting)
	d.checkPending(waiting)
	d.checkPrice(ids)
	if !complete {
		return
	}
	v := *d.cast
	v.c = d.view
	t := v.read(d.set, d.view.height(), true)
	for tx, height := range t.void {
		if id := d.id(tx); !isCoinbase(tx) && (t.paysAt(tx, height) || t.takes(tx, height)) && !d.dropped[id] {
			d.known[id] = true
		}
	}
	for id := range listed {
		switch fate := d.fate(t, id); fate {
		case fateMined, fateDead:
			for _, in := range d.made[id].TxIn {
				if d.made[in.PreviousOutPoint.Hash] != nil {
					d.t.Log(d.describe(t, in.PreviousOutPoint.Hash))
				}
			}
			d.t.Fatalf("%s waits, but is %v", d.describe(t, id), fate)
		}
	}
	for id := range d.known {
		if fate := d.fate(t, id); fate == fateWaits && !listed[id] && (d.paysWatched(d.made[id]) || t.takes(d.made[id], t.void[d.made[id]])) {
			d.t.Fatalf("%s can be mined and does not wait", d.describe(t, id))
		}
	}
	d.checkNet(ctx, t, waiting)
}

// checkSound: nothing waits that is against the rules by what the wallet knows, unless
// a block had it, and what spends a coin of ours is signed for it.
func (d *driver) checkSound(waiting []Unmined) {
	d.t.Helper()
	has := make(map[hash]bool)
	coins := make(map[wire.OutPoint]bool)
	for _, tx := range history(d.t, d.w) {
		has[tx.TxID] = true
	}
	for _, u := range waiting {
		has[u.TxID] = true
	}
	for _, u := range utxos(d.t, d.w) {
		coins[wire.OutPoint{Hash: u.TxID, Index: u.Index, Tree: u.Tree}] = true
	}
	for _, u := range waiting {
		if d.w.pool.byID[u.TxID].origin == fromBlock {
			continue
		}
		if d.flawed(u.Tx, func(id hash) bool { return has[id] }) {
			d.t.Fatalf("%v waits and is not valid", u.TxID)
		}
		for i, in := range u.Tx.TxIn {
			if !coins[in.PreviousOutPoint] {
				continue
			}
			prev := d.made[in.PreviousOutPoint.Hash].TxOut[in.PreviousOutPoint.Index]
			vm, err := txscript.NewEngine(prev.PkScript, u.Tx, i, verifyFlags, prev.Version, nil)
			if err == nil {
				err = vm.Execute()
			}
			if err != nil {
				d.t.Fatalf("%v waits and takes %v without a signature: %v", u.TxID, in.PreviousOutPoint, err)
			}
		}
	}
}

// checkPrice: the wallet knows no other ticket price than that of the next block.
func (d *driver) checkPrice(ids []chain.BlockID) {
	d.t.Helper()
	if d.w.price == 0 || len(ids) == 0 || !d.view.contains(ids[0]) {
		return
	}
	tip := ids[0].Height
	if price := d.view.blocks[tip].Header.SBits; int64(d.w.price) != price || int64(tip+1)%params.StakeDiffWindowSize == 0 {
		d.t.Fatalf("at tip %d a ticket seems to be at %d, and its header says %d", tip, d.w.price, price)
	}
}

// checkPending: what is to be announced is what we made, parents first.
func (d *driver) checkPending(waiting []Unmined) {
	d.t.Helper()
	pending, err := d.w.Pending(context.Background())
	if err != nil {
		d.t.Fatal(err)
	}
	left := make(map[hash]bool)
	for _, u := range waiting {
		if u.Own {
			left[u.TxID] = true
		}
	}
	for _, u := range waiting {
		if u.Behind != (hash{}) {
			delete(left, u.TxID) // not while another one comes first
		}
	}
	for _, tx := range pending {
		if !left[tx.TxHash()] {
			d.t.Fatalf("%v is to be announced, and does not wait or is not our own", tx.TxHash())
		}
		for _, in := range tx.TxIn {
			if left[in.PreviousOutPoint.Hash] {
				d.t.Fatalf("%v is to be announced before %v, which it spends", tx.TxHash(), in.PreviousOutPoint.Hash)
			}
		}
		delete(left, tx.TxHash())
	}
	if len(left) > 0 {
		d.t.Fatalf("%v are not to be announced", left)
	}
}

// paysAt reports whether a regular transaction at a height pays the wallet.
func (t *truth) paysAt(tx *wire.MsgTx, height uint32) bool {
	for i, out := range tx.TxOut {
		if t.paysBy(OutPoint{tx.TxHash(), uint32(i), out.PkScript}, height) && out.Version == 0 && out.Value > 0 {
			return true
		}
	}
	return false
}

// takes reports whether a transaction at a height spends an output that was the
// wallet's by then.
func (t *truth) takes(tx *wire.MsgTx, height uint32) bool {
	return slices.ContainsFunc(tx.TxIn, func(in *wire.TxIn) bool {
		coin := t.credits[in.PreviousOutPoint]
		return coin != nil && coin.height < height
	})
}

type fate string

const (
	fateMined   fate = "mined"
	fateWaits   fate = "waiting"
	fateDead    fate = "dead, and the wallet must know it"
	fateUnclear fate = "dead, or not followed, but the wallet need not know it"
)

// fate tells what becomes of a transaction by what is in the chain.
func (d *driver) fate(t *truth, id hash) fate {
	tx := d.made[id]
	if d.misled(tx) || d.wrong(tx) {
		return fateUnclear
	}
	if _, mined := t.mined[id]; mined {
		return fateMined
	}
	if !isReturning(tx) || d.dropped[id] || d.hearsay[id] || !d.known[id] {
		return fateUnclear
	}
	if tx.Expiry != 0 && d.view.height()+1 >= tx.Expiry {
		return fateDead
	}
	worst := fateWaits
	switch {
	case !isTicket(tx):
	case d.w.price == 0:
		worst = fateUnclear // it may have been too cheap in the last block
	case tx.TxOut[0].Value < int64(d.w.price):
		return fateDead
	}
	for _, in := range tx.TxIn {
		op := in.PreviousOutPoint
		if _, spent := t.spent[op]; spent {
			if t.credits[op] != nil {
				return fateDead
			}
			worst = fateUnclear
		}
		if d.made[op.Hash] == nil {
			continue // a stranger's
		}
		if !isReturning(d.made[op.Hash]) {
			worst = fateUnclear // when that was undone, all that spends it was given up
		}
		switch d.fate(t, op.Hash) {
		case fateDead:
			return fateDead
		case fateUnclear:
			worst = fateUnclear
		}
	}
	return worst
}

// isReturning: all but coinbases and votes may be mined again once their block is
// undone.
func isReturning(tx *wire.MsgTx) bool {
	switch {
	case isCoinbase(tx):
		return false
	case !isStake(tx), isTicket(tx), tx.TxOut[0].PkScript[0] == 0xc1, tx.TxOut[0].PkScript[0] == 0xbc:
		return true
	}
	return tx.TxOut[1].PkScript[0] == 0xc3
}

// checkNet: what the transactions that wait would change.
func (d *driver) checkNet(ctx context.Context, t *truth, waiting []Unmined) {
	d.t.Helper()
	paid := func(op wire.OutPoint) int64 {
		if coin := t.credits[op]; coin != nil {
			return coin.amount
		}
		for _, u := range waiting {
			if u.TxID == op.Hash && int(op.Index) < len(u.Tx.TxOut) {
				return d.worth(u.Tx, int(op.Index))
			}
		}
		return 0
	}
	sum := int64(0)
	spent, lost := make(map[wire.OutPoint]bool), make(map[hash]bool)
	for _, u := range d.ranked(waiting) {
		var want, got [3]int64 // credits, debits, net
		for _, in := range u.Tx.TxIn {
			op := in.PreviousOutPoint
			lost[u.TxID] = lost[u.TxID] || spent[op] || lost[op.Hash]
			want[1] += paid(op)
		}
		for i := range u.Tx.TxOut {
			want[0] += d.worth(u.Tx, i)
		}
		if !lost[u.TxID] {
			for _, in := range u.Tx.TxIn {
				spent[in.PreviousOutPoint] = in.PreviousOutPoint.Hash != (hash{})
			}
			want[2] = want[0] - want[1]
		}
		for _, cr := range u.Credits {
			got[0] += int64(cr.Amount)
		}
		for _, debit := range u.Debits {
			got[1] += int64(debit.Amount)
		}
		if got[2] = int64(u.Net); got != want {
			d.t.Fatalf("%s waits: credits, debits, net %d, not %d", d.describe(t, u.TxID), got, want)
		}
		sum += want[2]
	}
	if b, err := d.w.Balance(ctx); err != nil || int64(b.Unconfirmed) != sum {
		d.t.Fatalf("unconfirmed %d, not %d; %v", b.Unconfirmed, sum, err)
	}
}

// ranked are transactions that wait in the order in which they count: the
// wallet's own ones before others, each behind those that it spends.
func (d *driver) ranked(waiting []Unmined) (out []Unmined) {
	placed := make(map[hash]bool)
	var place func(u Unmined)
	place = func(u Unmined) {
		if placed[u.TxID] {
			return
		}
		placed[u.TxID] = true
		for _, in := range u.Tx.TxIn {
			for _, parent := range waiting {
				if parent.TxID == in.PreviousOutPoint.Hash {
					place(parent)
				}
			}
		}
		out = append(out, u)
	}
	for rank := range 3 {
		for _, u := range waiting {
			if d.rank(u) == rank {
				place(u)
			}
		}
	}
	return out
}

// rank: first comes what is our own, then what a block had or what spends coins of
// ours.
func (d *driver) rank(u Unmined) int {
	switch {
	case u.Own:
		return 0
	case !d.w.pool.byID[u.TxID].unverified():
		return 1
	}
	for _, in := range u.Tx.TxIn {
		for _, coin := range utxos(d.t, d.w) {
			if coin.TxID == in.PreviousOutPoint.Hash && coin.Index == in.PreviousOutPoint.Index {
				return 1
			}
		}
	}
	return 2
}

// worth is what an output of a transaction that waits pays to the wallet.
func (d *driver) worth(tx *wire.MsgTx, i int) int64 {
	tree := 0
	if treeOf(tx) != 0 {
		tree = 1
	}
	o := tx.TxOut[i]
	if isTicket(tx) && i == 0 {
		amount, _ := promised(tx, func(script string) bool { return d.owns(tx, script) })
		return amount
	}
	if o.Version != 0 {
		return 0
	}
	if d.watches(string(untagged(tree, o.PkScript))) {
		return o.Value
	}
	if _, ok := d.set[pointKey(d.pointOf(tx, i))]; ok {
		return o.Value
	}
	return 0
}

// describe tells of a transaction what helps to see why it failed.
func (d *driver) describe(t *truth, id hash) string {
	tx := d.made[id]
	s := fmt.Sprintf("%v (stake %v, mined at %d, void at %d, expiry %d, tip %d)",
		id, isStake(tx), t.mined[id], t.void[tx], tx.Expiry, d.view.height())
	for _, in := range tx.TxIn {
		op := in.PreviousOutPoint
		s += fmt.Sprintf("\n  from %v:%d, ours %v, spent by %v", op.Hash, op.Index, t.credits[op] != nil, t.spent[op])
		if prev := d.made[op.Hash]; prev != nil {
			s += fmt.Sprintf(", made by a stake %v, %s", isStake(prev), d.fate(t, op.Hash))
		}
	}
	for _, o := range tx.TxOut {
		script := string(untagged(1, o.PkScript))
		from, ok := d.set[script]
		s += fmt.Sprintf("\n  to %x version %d amount %d, watched %v from %d", script, o.Version, o.Value, ok, from)
	}
	for _, ev := range d.replay.log {
		if ev.Tx == id || ev.Kind == EventReorg || ev.Kind == EventDisapproved {
			s += fmt.Sprintf("\n  event %d: %s %v by %v", ev.Seq, ev.Kind, ev.Block, ev.By)
		}
	}
	return s
}
