package dcrwallet

import (
	"math/rand/v2"
	"testing"

	"decred.org/dcrwallet/v5/wallet/udb"
	"github.com/decred/dcrd/chaincfg/v3"
	"github.com/decred/dcrd/hdkeychain/v3"
)

// The search finds what a search finds that derives one address after the other, for any
// uses, known ones and gaps. Rule 16.
func TestUsage(t *testing.T) {
	rng := random(t, 0)
	for range 30 {
		checkUsage(t, rng)
	}
}

func checkUsage(t *testing.T, rng *rand.Rand) {
	t.Helper()
	params := chaincfg.SimNetParams()
	gap, accountGap := 1+rng.Uint32N(8), 1+rng.Uint32N(3)
	seed := make([]byte, 32)
	for i := range seed {
		seed[i] = byte(rng.Uint32())
	}
	coin, err := hdkeychain.NewMaster(seed, params)
	if err != nil {
		t.Fatal(err)
	}
	key := func(account uint32) (*hdkeychain.ExtendedKey, error) { return coin.Child(account) }
	paid := make(map[place]bool) // by account and index; of the external branch
	used := make(map[string]bool)
	for account := range uint32(8) {
		for range rng.IntN(6) {
			paid[place{index: account<<16 | rng.Uint32N(40)}] = true
		}
	}
	scriptOf := func(account, index uint32) string {
		child := coin
		for _, i := range []uint32{account, udb.ExternalBranch, index} {
			if child, err = child.Child(i); err != nil {
				t.Fatal(err)
			}
		}
		script, err := payTo(child, params)
		if err != nil {
			t.Fatal(err)
		}
		return string(script)
	}

	// One after the other.
	known := rng.Uint32N(3)
	lastAccount := uint32(0)
	for account := uint32(0); account <= lastAccount+accountGap && account < 8; account++ {
		last := uint32(0)
		if account == 0 {
			last = known
		}
		for index := last; index < last+gap; index++ {
			if paid[place{index: account<<16 | index}] {
				last = index + 1
			}
		}
		if last > 0 {
			lastAccount = account
		}
		for index := range last {
			used[scriptOf(account, index)] = true
		}
	}

	u := newUsage(params, gap, accountGap)
	first, err := key(0)
	if err != nil {
		t.Fatal(err)
	}
	if err := u.add(0, first, known, 0); err != nil {
		t.Fatal(err)
	}
	u.more = key
	for {
		scripts, err := u.extend()
		if err != nil {
			t.Fatal(err)
		}
		if len(scripts) == 0 {
			break
		}
		for at := range paid {
			script := scriptOf(at.index>>16, at.index&0xffff)
			for _, fresh := range scripts {
				if string(fresh) == script {
					u.pay(fresh)
				}
			}
		}
	}
	got := u.used()
	for script := range used {
		if !got[script] {
			t.Fatalf("gaps %d and %d: a script in use is missing", gap, accountGap)
		}
	}
	if len(got) != len(used) {
		t.Fatalf("gaps %d and %d: %d scripts in use, want %d", gap, accountGap, len(got), len(used))
	}
}
