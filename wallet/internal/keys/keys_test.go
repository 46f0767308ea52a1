package keys

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/decred/dcrd/chaincfg/v3"
	"github.com/decred/dcrd/hdkeychain/v3"
)

func testAccount(t *testing.T, seed byte) *hdkeychain.ExtendedKey {
	t.Helper()
	key, err := hdkeychain.NewMaster(bytes.Repeat([]byte{seed}, 32), chaincfg.MainNetParams())
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// TestParse: only public keys of the network are taken.
func TestParse(t *testing.T) {
	key := testAccount(t, 1)
	public := key.Neuter().String()
	if _, err := Parse(public, chaincfg.MainNetParams()); err != nil {
		t.Fatal(err)
	}
	if _, err := Parse(public, chaincfg.SimNetParams()); !errors.Is(err, hdkeychain.ErrWrongNetwork) {
		t.Error(err)
	}
	if _, err := Parse(key.String(), chaincfg.MainNetParams()); err == nil || strings.Contains(err.Error(), key.String()) {
		t.Error(err)
	}
	if _, err := Parse(public[:len(public)-1], chaincfg.MainNetParams()); err == nil {
		t.Error("a key that ends too early is taken")
	}
}

// TestIdentity: the same key is the same account, and another key is another one.
func TestIdentity(t *testing.T) {
	key := testAccount(t, 1).Neuter()
	child, err := testAccount(t, 1).Child(0)
	if err != nil {
		t.Fatal(err)
	}
	parse := func(key *hdkeychain.ExtendedKey) Account {
		a, err := Parse(key.String(), chaincfg.MainNetParams())
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	one, again, other := parse(key), parse(key), parse(child.Neuter())
	if one.Identity() != again.Identity() || one.Identity() == other.Identity() {
		t.Error("an account is taken for another one, or for none")
	}
}

// TestScripts: an address pays the script of its key's hash, and the form of a script is
// told from the script.
func TestScripts(t *testing.T) {
	params := chaincfg.MainNetParams()
	a, err := Parse(testAccount(t, 2).Neuter().String(), params)
	if err != nil {
		t.Fatal(err)
	}
	for branch := range uint8(Branches) {
		for index := range uint32(3) {
			key, ok := a.PubKey(branch, index)
			addr, has := a.Address(branch, index, params)
			if !ok || !has {
				t.Fatal(branch, index)
			}
			if _, want := addr.PaymentScript(); Script(key, PayHash) != string(want) {
				t.Errorf("%s pays %x", addr, want)
			}
			if want := "21" + hex.EncodeToString(key) + "ac"; hex.EncodeToString([]byte(Script(key, PayKey))) != want {
				t.Errorf("index %d: want %s", index, want)
			}
			for f := range Forms {
				if got := FormOf(Script(key, f)); got != f {
					t.Errorf("form %d is taken for %d", f, got)
				}
			}
		}
	}
}
