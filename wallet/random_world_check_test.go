package wallet

import (
	"context"
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
	if d.located {
		d.checkFound(tip)
	}
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
	ids, err := d.w.Locator(context.Background())
	if err != nil {
		d.t.Fatal(err)
	}
	if len(ids) > 0 {
		tip = ids[0].Height
	}
	born, end := uint32(math.MaxUint32), tip+1 // end is the first height with debt
	entries := d.entries()
	for s, from := range d.set {
		known := entries[s]
		if known == nil || known.Birthday() != from {
			d.t.Fatalf("script %x from %d: the wallet has %+v", s, from, known)
		}
		born = min(born, from)
		tested := d.tested[s]
		for h := from; h <= tip; h++ {
			if !d.w.ledger.Covered(known).Contains(h) {
				end = min(end, h)
			} else if h >= uint32(len(tested)) || !tested[h] {
				d.t.Fatalf("script %x counts as tested at %d, but was not", s, h)
			}
		}
	}
	for _, s := range entries { // also of indices that nobody is ever paid at
		if !s.watched() {
			continue
		}
		born = min(born, s.Birthday())
		if debt := d.w.ledger.Covered(s).Missing(chain.Range{From: 0, To: tip}); len(debt) > 0 {
			end = min(end, debt[0].From)
		}
	}
	if h, ok := d.w.Birthday(); ok != (len(entries) > 0) || ok && h != born {
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
		same := coin != nil && coin.height == u.Height && coin.mature(tip) == u.Spendable
		if same && u.Kind == Ticket && u.Height > through { // some that it pays may not have been tested
			same = coin.amount >= int64(u.Amount)
		} else {
			same = same && coin.amount == int64(u.Amount) && coin.script == string(u.Script)
		}
		if !same {
			d.t.Fatalf("output %+v is, by the oracle, %+v", u, coin)
		}
		sum += int64(u.Amount)
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

// checkDerived: an account is watched as far as the gap reaches behind what the chain
// uses, and no further.
func (d *driver) checkDerived(v *cast, tip uint32) {
	d.t.Helper()
	for key, a := range d.accounts {
		if a == nil {
			continue
		}
		for branch, used := range v.used(key, a, tip) {
			if d.w.unfit > unfitBlocks(tip)+1 { // the wallet was higher before
				continue
			}
			if n := d.derived[key][branch]; n != uint32(used)+a.gap {
				d.t.Fatalf("account %d, branch %d: %d addresses, %d are in use", key, branch, n, used)
			}
		}
	}
}

// scriptsOf are the scripts that a scan is for.
func (d *driver) scriptsOf(scan spv.Scan) (out []string) {
	d.t.Helper()
	for _, g := range d.w.ledger.Unchanged(scan.Groups) {
		for _, s := range g.Scripts() {
			out = append(out, keyOf(s))
		}
	}
	return out
}

// checkScan: a scan tests scripts on blocks that they were not tested on, and
// there is one as long as any is owed.
func (d *driver) checkScan(scan spv.Scan, ok bool, limit uint32) {
	d.t.Helper()
	owed := false
	entries := d.entries()
	for _, s := range entries {
		owed = owed || s.watched() && len(d.w.ledger.Covered(s).Missing(chain.Range{From: 0, To: limit})) > 0
	}
	if owed && !ok {
		d.t.Fatalf("no scan although there is debt up to %d", limit)
	}
	if !ok {
		return
	}
	d.checkOrder(scan.Range, limit)
	scripts := d.scriptsOf(scan)
	distinct := make(map[string]bool)
	for _, s := range scripts {
		distinct[entries[s].raw] = true
	}
	if scan.Range.From > scan.Range.To || scan.Range.To > limit || len(scripts) == 0 || scan.Query.Len() < len(distinct) {
		d.t.Fatalf("scan %v of %d scripts for %d, limit %d", scan.Range, scan.Query.Len(), len(scripts), limit)
	}
	for _, s := range scripts {
		if missing := d.w.ledger.Covered(entries[s]).Missing(scan.Range); len(missing) == 0 {
			d.t.Fatalf("scan %v of script %x, which has been tested on all of it", scan.Range, s)
		}
	}
}
