package realnodes

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"dcrspv/wallet"

	"github.com/decred/dcrd/blockchain/stake/v5"
)

var (
	judgeSteps = flag.Int("steps", 0, "TestJudge: play so many random steps after the short play")
	judgeAll   = flag.Bool("all", false, "TestJudge: also what is known to fail")
	judgeSeed  = flag.Uint64("seed", 1, "TestJudge: seed of what is random")
)

const (
	// restoreEvery is how many steps lie between two wallets restored from the
	// keys.
	restoreEvery = 8

	// judgePatience bounds how long the two sides may take to agree.
	judgePatience = 30 * time.Second
)

// TestJudge has a real dcrwallet judge what the light client says of dcrwallet's
// keys, after each step of a play that has every kind of step: balance by kind, coins,
// history, confirmations and net of each transaction. See sheet for the definitions.
//
//	go test ./cmd/dcrspv/realnodes -run TestJudge -steps 1000 -seed 7 -timeout 0
//
// The seed decides on steps and amounts. The keys are new each time, and so are the
// tickets that win.
func TestJudge(t *testing.T) {
	t.Parallel()
	p := build(t)
	dcrwallet := filepath.Join(t.TempDir(), "dcrwallet")
	goBuild(t, "dcrwallet", dcrwallet, "decred.org/dcrwallet/v5")
	n := startNetwork(t, p, 2, 150, "-limit", fmt.Sprint(600+20**judgeSteps))
	j := &judge{
		n: n, w: startWallet(t, dcrwallet, n),
		rand: rand.New(rand.NewPCG(*judgeSeed, 0)),
	}
	began := time.Now()
	j.open(t)
	var able []step
	for _, s := range steps {
		if failing[s.name] && !*judgeAll {
			continue
		}
		able = append(able, s)
		j.step(t, s)
	}
	j.restored(t)
	t.Logf("the short play took %v", time.Since(began).Round(time.Second))
	for range *judgeSteps {
		j.step(t, able[j.rand.IntN(len(able))])
	}
	j.restored(t)
}

// judge holds both sides.
type judge struct {
	n     *network
	w     *dcrwallet
	sheet *sheet
	live  *light
	rand  *rand.Rand

	watches  map[string]wallet.Watch
	multisig string     // address
	batches  [][]string // tickets of one kind that none has voted of yet
	played   []string   // names of the steps
}

// accounts are dcrwallet's, and what each wallet of the light client watches.
var accounts = map[string]map[string]bool{
	"default":  {"default": true},
	"second":   {"second": true},
	"imported": {"imported": true},
	"all":      {"default": true, "second": true, "imported": true},
}

// open makes dcrwallet's accounts and the light wallets that watch them.
func (j *judge) open(t *testing.T) {
	t.Helper()
	j.synced(t, j.n.tipOf(t, 0))
	j.w.call(t, nil, "createnewaccount", "second")
	var keys []string
	for _, account := range []string{"default", "second"} {
		keys = append(keys, j.w.publicKey(t, j.w.address(t, account)))
	}
	var multi struct {
		Address      string `json:"address"`
		RedeemScript string `json:"redeemscript"`
	}
	j.w.call(t, &multi, "createmultisig", 2, keys)
	j.w.call(t, nil, "importscript", multi.RedeemScript, false)
	j.multisig = multi.Address
	xpub := func(account string) (key string) {
		j.w.call(t, &key, "getmasterpubkey", account)
		return key
	}
	first, second := xpub("default"), xpub("second")
	// dcrwallet gives out two addresses for each ticket, beyond any gap limit, and of
	// tickets that are never mined no block tells.
	const gap = 200
	j.watches = map[string]wallet.Watch{
		"default":  {XPubs: []string{first}, Gap: gap},
		"second":   {XPubs: []string{second}, Gap: gap},
		"imported": {Addresses: []string{j.multisig}},
		"all":      {XPubs: []string{first, second}, Gap: gap, Addresses: []string{j.multisig}},
	}
	j.sheet = newSheet(j.w)
	j.live = startLight(t, j.n, j.watches)
	j.agree(t)
}

// synced waits until dcrwallet is at a block.
func (j *judge) synced(t *testing.T, at tip) {
	t.Helper()
	eventually(t, fmt.Sprintf("dcrwallet at %d", at.Height), func() bool {
		var best struct {
			Hash string `json:"hash"`
		}
		return j.w.try(&best, "getbestblock") == nil && best.Hash == at.Hash
	})
}

// step plays one and compares. In between it may compare itself.
func (j *judge) step(t *testing.T, s step) {
	t.Helper()
	j.played = append(j.played, s.name)
	began := time.Now()
	defer func() {
		if t.Failed() {
			t.Logf("seed %d, step %d, played: %s", *judgeSeed, len(j.played), strings.Join(j.played, ", "))
		}
	}()
	s.play(t, j)
	j.agree(t)
	if len(j.played)%restoreEvery == 0 {
		j.restored(t)
	}
	t.Logf("step %d, %s: at %d, %v", len(j.played), s.name, j.sheet.tip.Height, time.Since(began).Round(time.Millisecond))
}

// agree waits until both sides say the same, and fails the test with what each says if
// they do not.
func (j *judge) agree(t *testing.T) {
	t.Helper()
	at := j.look(t)
	ctx, cancel := context.WithTimeout(t.Context(), judgePatience)
	defer cancel()
	wrong := []string{"the light client is not in sync"}
	if until(ctx, askEvery, func() bool {
		if j.live.at(at) {
			wrong = j.compare(t, j.live, true)
		}
		return len(wrong) == 0
	}) {
		return
	}
	j.fail(t, "live", wrong)
}

// look waits until dcrwallet is where the node is.
func (j *judge) look(t *testing.T) tip {
	t.Helper()
	at := j.n.tipOf(t, 0)
	j.synced(t, at)
	j.sheet.tip = at
	return at
}

// restored compares a light client that has nothing but the keys.
func (j *judge) restored(t *testing.T) {
	t.Helper()
	at := j.look(t)
	l := startLight(t, j.n, j.watches)
	defer l.end(t)
	eventually(t, "a restored light client in sync", func() bool { return l.at(at) })
	if wrong := j.compare(t, l, false); len(wrong) > 0 {
		j.fail(t, "restored", wrong)
	}
}

func (j *judge) fail(t *testing.T, which string, wrong []string) {
	t.Helper()
	t.Fatalf("seed %d, step %d, height %d: the %s light client and dcrwallet do not agree\n%s",
		*judgeSeed, len(j.played), j.sheet.tip.Height, which, strings.Join(wrong, "\n"))
}

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
		if !waiting || !*judgeAll && j.superseded(got.waiting) {
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

// superseded reports whether a ticket waits in vain: its price has changed, and so no node
// has it. Package wallet lists it for a day, and what else spends the same coin has no
// effect meanwhile. That is known to be wrong.
func (j *judge) superseded(waiting []waitingLine) bool {
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
//
// A revocation that a reorg has undone it lists as waiting, of no effect on any sum;
// since DCP0009 such a one belongs to its block, as a vote does, and no node has it. That
// entry is left out.
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
	tickets := make(map[string]*coinLine)
	for _, u := range coins {
		c := coinLine{u.TxID.String(), u.Index, u.Tree, int64(u.Amount), u.Height, u.Kind, u.Spendable}
		if c.Kind != wallet.Ticket {
			a.coins = append(a.coins, c)
			continue
		}
		if c.Index = 0; tickets[c.TxID] != nil {
			c.Amount += tickets[c.TxID].Amount
		}
		tickets[c.TxID] = &c
	}
	for _, c := range tickets {
		a.coins = append(a.coins, *c)
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
		if stake.IsSSRtx(u.Tx) && u.Net == 0 {
			continue
		}
		a.waiting = append(a.waiting, waitingLine{u.TxID.String(), int64(u.Net)})
	}
	return a
}
