package realnodes

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dcrspv/cmd/dcrspv/realnodes/driver"
	"dcrspv/wallet"
)

var (
	judgeSteps = flag.Int("steps", 0, "TestJudge: play so many random steps after the short play")
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
	if err := driver.GoBuild("dcrwallet", dcrwallet, "decred.org/dcrwallet/v5"); err != nil {
		t.Fatal(err)
	}
	for tries := 1; !judged(t, p, dcrwallet); tries++ {
		if tries == 3 {
			t.Fatal(errHung)
		}
	}
}

// judged plays it all. It reports false if dcrwallet has locked itself up meanwhile.
func judged(t *testing.T, p programs, dcrwallet string) (done bool) {
	t.Helper()
	defer func() {
		r := recover()
		if err, ok := r.(error); r != nil && !(ok && errors.Is(err, errHung)) {
			panic(r)
		}
	}()
	n := startNetwork(t, p, 2, 150, "-limit", fmt.Sprint(600+20**judgeSteps))
	j := &judge{
		n: n, w: startWallet(t, dcrwallet, n),
		rand: rand.New(rand.NewPCG(*judgeSeed, 0)),
	}
	began := time.Now()
	j.open(t)
	for _, s := range steps {
		j.step(t, s)
	}
	j.restored(t)
	t.Logf("the short play took %v", time.Since(began).Round(time.Second))
	for range *judgeSteps {
		j.step(t, steps[j.rand.IntN(len(steps))])
	}
	j.restored(t)
	return true
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
		"default":  {XPubs: []string{first}, Gap: gap, PubKeys: true},
		"second":   {XPubs: []string{second}, Gap: gap, PubKeys: true},
		"imported": {Addresses: []string{j.multisig}},
		"all":      {XPubs: []string{first, second}, Gap: gap, PubKeys: true, Addresses: []string{j.multisig}},
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
