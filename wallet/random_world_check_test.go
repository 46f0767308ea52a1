package wallet

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sort"

	"dcrspv/spv"
	"dcrspv/spv/chain"

	"github.com/decred/dcrd/dcrutil/v4"
	"github.com/decred/dcrd/wire"
)

// check compares the wallet with what must be, as far as it can know by now.
func (d *driver) check() {
	d.t.Helper()
	if d.rng.IntN(4) == 0 {
		verify(d.t, d.w)
	}
	d.derive()
	d.checkEvents()
	through, tip, any := d.checkCoverage()
	if d.located && any {
		d.checkHistory(through, tip)
	}
	d.checkWaiting(any && d.located && through == tip && tip == d.view.height())
}

// checkEvents: the log tells no more and no less than the wallet has.
func (d *driver) checkEvents() {
	d.t.Helper()
	if err := d.replay.follow(d.w); err != nil {
		d.t.Fatal(err)
	}
	d.replay.check(d.t, d.w)
	if d.rng.IntN(4) == 0 {
		d.replay.checkCursor(d.t, d.w, d.rng.Uint64N(uint64(len(d.replay.log))+1))
	}
}

// checkCoverage: nothing counts as tested that was not. It returns the height up
// to which all is tested, and the wallet's tip.
func (d *driver) checkCoverage() (through, tip uint32, any bool) {
	d.t.Helper()
	ids, err := d.w.Locator()
	if err != nil {
		d.t.Fatal(err)
	}
	if len(ids) > 0 {
		tip = ids[0].Height
	}
	born, end := uint32(math.MaxUint32), tip+1 // end is the first height with debt
	for s, from := range d.set {
		known := d.w.scripts[s]
		if known == nil || known.from != from {
			d.t.Fatalf("script %x from %d: the wallet has %+v", s, from, known)
		}
		born = min(born, from)
		tested := d.tested[s]
		for h := from; h <= tip; h++ {
			if !known.group.covered.Contains(h) {
				end = min(end, h)
			} else if h >= uint32(len(tested)) || !tested[h] {
				d.t.Fatalf("script %x counts as tested at %d, but was not", s, h)
			}
		}
	}
	for _, s := range d.w.scripts { // also of indices that nobody is ever paid at
		if !s.watched() {
			continue
		}
		born = min(born, s.from)
		if debt := s.group.covered.Missing(chain.Range{From: 0, To: tip}); len(debt) > 0 {
			end = min(end, debt[0].From)
		}
	}
	if h, ok := d.w.Birthday(); ok != (len(d.w.scripts) > 0) || ok && h != born {
		d.t.Fatalf("birthday %d %v, not %d", h, ok, born)
	}
	from, through, any := d.w.Scanned(tip)
	if any != (born <= tip && end > born) || any && (from != born || through != end-1) {
		d.t.Fatalf("scanned %d to %d %v; birthday %d, debt from %d", from, through, any, born, end)
	}
	return through, tip, any && len(ids) > 0
}

// checkHistory: up to where all was tested the history is exact, and at the tip
// the outputs and the balance are too. In between, nothing is there that the
// chain does not have.
func (d *driver) checkHistory(through, tip uint32) {
	d.t.Helper()
	v := *d.cast
	v.c = d.view
	lastCounts := through == tip || d.view.blocks[through+1].Header.VoteBits&1 == 1
	want, _, spendable, immature, staked := v.read(d.set, through, lastCounts).lines(tip)
	all := v.read(d.set, tip, true)
	_, coins, _, _, _ := all.lines(tip)

	var got []string
	above := make(map[hash]bool)
	for _, tx := range history(d.t, d.w) {
		if tx.Height <= through {
			got = append(got, historyLine(tx.TxID, tx.Tree, tx.Height, tx.Block, int64(tx.Net)))
		} else if all.mined[tx.TxID] != tx.Height || d.view.id(tx.Height).Hash != tx.Block {
			d.t.Fatalf("%v in block %d is not in the chain", tx.TxID, tx.Height)
		}
		above[tx.TxID] = true
	}
	sameLines(d.t, "history", "the wallet", got, "the oracle", want)

	var unspent []string
	var sum int64
	for _, u := range utxos(d.t, d.w) {
		op := wire.OutPoint{Hash: u.TxID, Index: u.Index, Tree: u.Tree}
		coin := all.credits[op]
		if coin == nil || coin.amount != int64(u.Amount) || coin.height != u.Height || coin.mature(tip) != u.Spendable || coin.script != string(u.Script) {
			d.t.Fatalf("output %+v is, by the oracle, %+v", u, coin)
		}
		sum += coin.amount
		unspent = append(unspent, coinLine(u.TxID, u.Index, u.Tree, int64(u.Amount), u.Height, string(u.Script), u.Spendable))
	}
	b := balance(d.t, d.w)
	if int64(b.Total) != sum || b.Total != b.Spendable+b.Immature+b.Staked {
		d.t.Fatalf("balance %+v of outputs of %d", b, sum)
	}
	if through < tip {
		return
	}
	sameLines(d.t, "outputs", "the wallet", sorted(unspent), "the oracle", sorted(coins))
	if int64(b.Spendable) != spendable || int64(b.Immature) != immature || int64(b.Staked) != staked {
		d.t.Fatalf("balance %+v, by the oracle %d, %d, %d", b, spendable, immature, staked)
	}
	d.checkDerived(&v, tip)
	d.checkKinds(b, all, tip)
	d.checkPages(got)
}

// checkKinds: the balance by kind.
func (d *driver) checkKinds(b Balance, t *truth, tip uint32) {
	d.t.Helper()
	kinds := map[byte]CoinKind{0: Regular, 1: Coinbase, 0xba: Ticket, 0xbb: Vote, 0xbc: Revocation, 0xbd: StakeChange, 0xc3: Treasury}
	var want [kindCount]KindBalance
	for _, coin := range t.coins {
		k := &want[kinds[coin.kind]]
		k.Total += dcrutil.Amount(coin.amount)
		k.Coins++
		if coin.mature(tip) {
			k.Spendable += dcrutil.Amount(coin.amount)
		}
	}
	if b.ByKind != want {
		d.t.Fatalf("balance by kind %+v, by the oracle %+v", b.ByKind, want)
	}
}

// checkPages: pages of the history are the history, the newest first.
func (d *driver) checkPages(want []string) {
	d.t.Helper()
	var got []string
	var before *Tx
	for {
		page, err := d.w.HistoryPage(context.Background(), before, 1+d.rng.IntN(100))
		if err != nil {
			d.t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		for _, tx := range page {
			got = append(got, historyLine(tx.TxID, tx.Tree, tx.Height, tx.Block, int64(tx.Net)))
		}
		before = &page[len(page)-1]
	}
	slices.Reverse(got)
	sameLines(d.t, "history", "pages", got, "the whole", want)
}

func sorted(lines []string) []string {
	sort.Strings(lines)
	return lines
}

// checkDerived: what the chain uses of an account is within its gap.
func (d *driver) checkDerived(v *cast, tip uint32) {
	d.t.Helper()
	for key, a := range d.accounts {
		if a == nil {
			continue
		}
		for branch, used := range v.used(key, a.gap, a.from, tip) {
			if n := d.derived[key][branch]; n < uint32(used)+a.gap || int(n) > d.high[key][branch]+int(a.gap) {
				d.t.Fatalf("account %d, branch %d: %d addresses, %d are in use of at most %d", key, branch, n, used, d.high[key][branch])
			}
		}
	}
}

// scriptsOf are the scripts that a scan is for.
func (d *driver) scriptsOf(scan spv.Scan) (out []string) {
	d.t.Helper()
	for _, g := range d.w.liveGroups(scan.Groups) {
		for _, s := range g.scripts {
			out = append(out, s.raw)
		}
	}
	return out
}

// checkScan: a scan tests scripts on blocks that they were not tested on, and
// there is one as long as any is owed.
func (d *driver) checkScan(scan spv.Scan, ok bool, limit uint32) {
	d.t.Helper()
	owed := false
	for _, s := range d.w.scripts {
		owed = owed || s.watched() && len(s.group.covered.Missing(chain.Range{From: 0, To: limit})) > 0
	}
	if owed && !ok {
		d.t.Fatalf("no scan although there is debt up to %d", limit)
	}
	if !ok {
		return
	}
	scripts := d.scriptsOf(scan)
	if scan.Range.From > scan.Range.To || scan.Range.To > limit || len(scripts) == 0 || scan.Query.Len() < len(scripts) {
		d.t.Fatalf("scan %v of %d scripts for %d, limit %d", scan.Range, scan.Query.Len(), len(scripts), limit)
	}
	for _, s := range scripts {
		if missing := d.w.scripts[s].group.covered.Missing(scan.Range); len(missing) == 0 {
			d.t.Fatalf("scan %v of script %x, which has been tested on all of it", scan.Range, s)
		}
	}
}

// checkTaken: a transaction that pays watched scripts is taken, and one that
// can't be mined is refused.
func (d *driver) checkTaken(tx *wire.MsgTx, taken bool, refused error) {
	d.t.Helper()
	ids, err := d.w.Locator()
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
	ids, err := d.w.Locator()
	if err != nil {
		d.t.Fatal(err)
	}
	for _, tx := range history(d.t, d.w) {
		d.known[tx.TxID] = true
		delete(d.dropped, tx.TxID)
		delete(d.hearsay, tx.TxID)
	}
	d.dropBelowBirthday()
	waiting := unmined(d.t, d.w)
	listed := make(map[hash]bool)
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
		if _, gone := d.dropped[u.TxID]; !gone {
			d.known[u.TxID] = true
		}
	}
	d.checkPending(waiting)
	if !complete {
		return
	}
	v := *d.cast
	v.c = d.view
	t := v.read(d.set, d.view.height(), true)
	for tx, height := range t.void {
		if id := d.id(tx); !isCoinbase(tx) && t.paysAt(tx, height) && !d.dropped[id] {
			d.known[id] = true
		}
	}
	for id := range listed {
		switch fate := d.fate(t, id); fate {
		case fateMined, fateDead:
			d.t.Fatalf("%s waits, but is %v", d.describe(t, id), fate)
		}
	}
	for id := range d.known {
		if fate := d.fate(t, id); fate == fateWaits && !listed[id] && d.paysWatched(d.made[id]) {
			d.t.Fatalf("%s can be mined and does not wait", d.describe(t, id))
		}
	}
	d.checkNet(ctx, t, waiting)
}

// checkPending: what is to be announced is what we made, parents first.
func (d *driver) checkPending(waiting []Unmined) {
	d.t.Helper()
	pending, err := d.w.Pending()
	if err != nil {
		d.t.Fatal(err)
	}
	left := make(map[hash]bool)
	for _, u := range waiting {
		if u.Own {
			left[u.TxID] = true
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

// dropBelowBirthday: a transaction that is mined below the birthday of all that
// it pays is no longer the wallet's. It does not come back if it is undone.
func (d *driver) dropBelowBirthday() {
	d.t.Helper()
	var t *truth
	for ; d.seen < len(d.replay.log); d.seen++ {
		ev := d.replay.log[d.seen]
		if ev.Kind != EventRemoved {
			continue
		}
		if t == nil {
			v := *d.cast
			v.c = d.view
			t = v.read(d.set, d.view.height(), true)
		}
		_, mined := t.mined[ev.Tx]
		if _, void := t.void[d.made[ev.Tx]]; mined || void {
			delete(d.known, ev.Tx)
			d.dropped[ev.Tx] = true
		}
	}
}

// paysAt reports whether a regular transaction at a height pays the wallet.
func (t *truth) paysAt(tx *wire.MsgTx, height uint32) bool {
	for _, out := range tx.TxOut {
		if t.pays(string(out.PkScript), height) && out.Version == 0 && out.Value > 0 {
			return true
		}
	}
	return false
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
	if _, mined := t.mined[id]; mined {
		for _, entry := range t.history {
			if entry.id == id {
				return fateMined
			}
		}
		return fateUnclear // below the birthday
	}
	if !isReturning(tx) || d.dropped[id] || d.hearsay[id] || !d.known[id] {
		return fateUnclear
	}
	if tx.Expiry != 0 && d.view.height()+1 >= tx.Expiry {
		return fateDead
	}
	worst := fateWaits
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

// isReturning: only these may be mined again once their block is undone.
func isReturning(tx *wire.MsgTx) bool {
	return !isCoinbase(tx) && (!isStake(tx) || isTicket(tx) || tx.TxOut[0].PkScript[0] == 0xc1)
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
	for _, u := range ranked(waiting) {
		for _, in := range u.Tx.TxIn {
			op := in.PreviousOutPoint
			lost[u.TxID] = lost[u.TxID] || spent[op] || lost[op.Hash]
		}
		net := int64(0)
		if !lost[u.TxID] {
			for _, in := range u.Tx.TxIn {
				spent[in.PreviousOutPoint] = true
				net -= paid(in.PreviousOutPoint)
			}
			for i := range u.Tx.TxOut {
				net += d.worth(u.Tx, i)
			}
		}
		if int64(u.Net) != net {
			d.t.Fatalf("%s waits: net %d, not %d", d.describe(t, u.TxID), u.Net, net)
		}
		sum += net
	}
	if b, err := d.w.Balance(ctx); err != nil || int64(b.Unconfirmed) != sum {
		d.t.Fatalf("unconfirmed %d, not %d; %v", b.Unconfirmed, sum, err)
	}
}

// ranked are transactions that wait in the order in which they count: the
// wallet's own ones before others, each behind those that it spends.
func ranked(waiting []Unmined) (out []Unmined) {
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
	for _, own := range []bool{true, false} {
		for _, u := range waiting {
			if u.Own == own {
				place(u)
			}
		}
	}
	return out
}

// worth is what an output of a transaction that waits pays to the wallet.
func (d *driver) worth(tx *wire.MsgTx, i int) int64 {
	tree := 0
	if treeOf(tx) != 0 {
		tree = 1
	}
	o := tx.TxOut[i]
	if _, ok := d.set[string(untagged(tree, o.PkScript))]; !ok || o.Version != 0 {
		return 0
	}
	return o.Value
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
