package realnodes

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"dcrspv/wallet"

	"github.com/decred/dcrd/blockchain/stake/v5"
)

// compare lists the differences. What waits is compared only if the light client was
// there to hear of it.
func (j *judge) compare(t *testing.T, l *light, waiting bool) (wrong []string) {
	t.Helper()
	j.sheet.mempool = make(map[string]bool)
	for _, id := range j.n.mempoolOf(t, 0) {
		j.sheet.mempool[id] = true
	}
	j.sheet.update(t)
	wrong = j.sheet.checkOwn(t, accounts["all"])
	for _, name := range slices.Sorted(maps.Keys(l.wallets)) {
		want, got := j.sheet.expect(accounts[name]), shown(t, l.wallets[name])
		if !waiting || j.dropped(got.waiting) {
			want.waiting, got.waiting = nil, nil
			want.balance.Unconfirmed, got.balance.Unconfirmed = 0, 0
		}
		want.sort()
		got.sort()
		if want.balance != got.balance {
			wrong = append(wrong, fmt.Sprintf("balance of %s:\n  dcrwallet  %+v\n  dcrspv     %+v", name, want.balance, got.balance))
		}
		wrong = append(wrong, differ("coins of "+name, want.coins, got.coins)...)
		wrong = append(wrong, differ("history of "+name, want.history, got.history)...)
		wrong = append(wrong, differ("waiting of "+name, want.waiting, got.waiting)...)
	}
	return wrong
}

// dropped reports whether a ticket waits that no node has: its price had risen, which
// makes nodes drop it and package wallet call it superseded, and has come down again. By
// consensus it may be mined now, and so may what spends its change, so both wait here and
// neither there.
func (j *judge) dropped(waiting []waitingLine) bool {
	return slices.ContainsFunc(waiting, func(w waitingLine) bool {
		tx := j.sheet.txs[w.TxID]
		return tx != nil && stake.IsSStx(tx.msg) && !j.sheet.waiting(tx)
	})
}

// differ shows what one side has and the other has not.
func differ[T comparable](what string, want, got []T) []string {
	less := func(a, b []T) []T {
		return slices.DeleteFunc(slices.Clone(a), func(one T) bool { return slices.Contains(b, one) })
	}
	lack, more := less(want, got), less(got, want)
	if len(lack)+len(more) == 0 && len(want) == len(got) {
		return nil
	}
	text := fmt.Sprintf("%s: dcrwallet has %d, dcrspv %d", what, len(want), len(got))
	const limit = 8 // lines of a side
	for _, l := range lack[:min(limit, len(lack))] {
		text += fmt.Sprintf("\n  dcrwallet  %+v", l)
	}
	for _, m := range more[:min(limit, len(more))] {
		text += fmt.Sprintf("\n  dcrspv     %+v", m)
	}
	return []string{text}
}

// shown is what a wallet of the light client shows.
func shown(t *testing.T, w *wallet.Wallet) (a account) {
	t.Helper()
	b, err := w.Balance(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	a.balance = balance{int64(b.Spendable), int64(b.Immature), int64(b.Staked), int64(b.Total), int64(b.Unconfirmed)}
	coins, err := w.UTXOs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range coins {
		a.coins = append(a.coins, coinLine{u.TxID.String(), u.Index, u.Tree, int64(u.Amount), u.Height, u.Kind, u.Spendable})
	}
	history, err := w.History(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, tx := range history {
		a.history = append(a.history, historyLine{tx.TxID.String(), tx.Tree, tx.Height, tx.Block.String(), int64(tx.Net)})
	}
	waiting, err := w.Unmined(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range waiting {
		a.waiting = append(a.waiting, waitingLine{u.TxID.String(), int64(u.Net)})
	}
	return a
}
