package wallet

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/decred/dcrd/chaincfg/v3"
	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/decred/dcrd/hdkeychain/v3"
	"github.com/decred/dcrd/txscript/v4/stdaddr"
	"github.com/decred/dcrd/wire"
)

// everyKind is an address of every standard kind.
func everyKind(t *testing.T) []stdaddr.Address {
	t.Helper()
	key := secp256k1.PrivKeyFromBytes([]byte{7}).PubKey().SerializeCompressed()
	hash := make([]byte, 20)
	hash[3] = 9
	// The base point of Ed25519 is a public key.
	edwards := slices.Repeat([]byte{0x66}, 32)
	edwards[0] = 0x58
	var out []stdaddr.Address
	add := func(a stdaddr.Address, err error) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, a)
	}
	add(stdaddr.NewAddressPubKeyHashEcdsaSecp256k1(0, hash, params))
	add(stdaddr.NewAddressPubKeyHashEd25519(0, hash, params))
	add(stdaddr.NewAddressPubKeyHashSchnorrSecp256k1(0, hash, params))
	add(stdaddr.NewAddressScriptHashFromHash(0, hash, params))
	add(stdaddr.NewAddressPubKeyEcdsaSecp256k1Raw(0, key, params))
	add(stdaddr.NewAddressPubKeySchnorrSecp256k1Raw(0, key, params))
	add(stdaddr.NewAddressPubKeyEd25519Raw(0, edwards, params))
	return out
}

func TestEveryAddressKind(t *testing.T) {
	c, w := newWorld(t), open(t)
	var what Watch
	var outs []*wire.TxOut
	kinds := everyKind(t)
	for i, a := range kinds {
		what.Addresses = append(what.Addresses, a.String())
		outs = append(outs, out(scriptOf(a), int64(i)+1))
	}
	watch(t, w, what)
	tx := c.pay(outs...)
	c.mine(tx)
	c.sync(w)
	got := make(map[string]bool)
	for _, u := range utxos(t, w) {
		got[u.Address] = true
	}
	for _, a := range kinds {
		if !got[a.String()] {
			t.Errorf("%T %v was not found", a, a)
		}
	}
	var ops []wire.OutPoint
	for i := range kinds {
		ops = append(ops, opOf(tx, uint32(i)))
	}
	c.mine(c.spend(ops))
	c.sync(w)
	wantBalance(t, w, 0, 0, 0, 0)
}

func TestWatchErrors(t *testing.T) {
	w := open(t)
	foreign, err := stdaddr.NewAddressPubKeyHashEcdsaSecp256k1V0(make([]byte, 20), chaincfg.MainNetParams())
	if err != nil {
		t.Fatal(err)
	}
	main, err := hdkeychain.NewMaster(make([]byte, 32), chaincfg.MainNetParams())
	if err != nil {
		t.Fatal(err)
	}
	good := addr(1).String()
	xpub := testXPub(t, 1)
	for name, tt := range map[string]struct {
		what Watch
		kind error
	}{
		"no address":        {Watch{Addresses: []string{good, "hello"}}, ErrAddress},
		"empty":             {Watch{Addresses: []string{""}}, ErrAddress},
		"bad checksum":      {Watch{Addresses: []string{good[:len(good)-1] + "9"}}, ErrAddress},
		"too long":          {Watch{Addresses: []string{strings.Repeat("S", 60)}}, ErrAddress},
		"other network":     {Watch{Addresses: []string{foreign.String()}}, ErrWrongNetwork},
		"no script":         {Watch{Scripts: [][]byte{nil}}, ErrScript},
		"long script":       {Watch{Scripts: [][]byte{make([]byte, 16385)}}, ErrScript},
		"no key":            {Watch{Addresses: []string{good}, XPubs: []string{"spub"}}, ErrXPub},
		"damaged key":       {Watch{XPubs: []string{xpub[:50] + "xx" + xpub[52:]}}, ErrXPub},
		"private key":       {Watch{XPubs: []string{testKey(t, 1).String()}}, ErrXPub},
		"key of other net":  {Watch{XPubs: []string{main.Neuter().String()}}, ErrWrongNetwork},
		"gap":               {Watch{XPubs: []string{xpub}, Gap: maxGap + 1}, ErrXPub},
		"priv of other net": {Watch{XPubs: []string{main.String()}}, ErrWrongNetwork},
	} {
		err := w.Watch(context.Background(), tt.what)
		if !errors.Is(err, tt.kind) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if strings.Contains(err.Error(), "sprv") || strings.Contains(err.Error(), "dprv") {
			t.Errorf("%s: the error shows a private key", name)
		}
	}
	if len(w.scripts) != 0 || len(w.accounts) != 0 {
		t.Error("something was added all the same")
	}
	for name, err := range map[string]error{
		"rescan":         w.Rescan(context.Background(), 0, 9, good),
		"rescan account": w.Rescan(context.Background(), 0, 9, xpub),
		"unwatch":        w.Unwatch(context.Background(), Watch{Addresses: []string{good}}),
		"unwatch key":    w.Unwatch(context.Background(), Watch{XPubs: []string{xpub}}),
	} {
		if !errors.Is(err, ErrNotWatched) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := w.Rescan(context.Background(), 0, 9, "hello"); !errors.Is(err, ErrAddress) {
		t.Errorf("rescan of nonsense: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := w.Watch(ctx, Watch{Addresses: []string{good}}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestWatched(t *testing.T) {
	w := open(t)
	ctx := context.Background()
	if _, ok := w.Birthday(); ok {
		t.Error("a birthday of nothing")
	}
	multisig := []byte{0x51, 0x51, 0xae}
	key := testXPub(t, 1)
	watch(t, w, Watch{Addresses: []string{addr(1).String()}, XPubs: []string{key}, From: 9, Label: "a"})
	watch(t, w, Watch{Scripts: [][]byte{multisig}, From: 7})
	watch(t, w, Watch{Addresses: []string{addr(1).String()}, From: 11}) // not higher, and keeps its label
	watch(t, w, Watch{XPubs: []string{key}, From: 8, Gap: 5, Label: "b"})
	if len(w.Changed()) != 1 {
		t.Error("no change was told")
	}
	<-w.Changed()
	for range 2 {
		list, err := w.Watched(ctx)
		if err != nil || len(list) != 3 {
			t.Fatalf("%+v, %v", list, err)
		}
		if a := list[0]; a.XPub != key || a.From != 8 || a.Label != "b" || a.Gap != 20 || a.External != 20 || a.Internal != 20 {
			t.Errorf("account %+v", a)
		}
		if s := list[1]; string(s.Script) != string(multisig) || s.Address != "" || s.From != 7 {
			t.Errorf("script %+v", s)
		}
		if s := list[2]; s.Address != addr(1).String() || s.From != 9 || s.Label != "a" {
			t.Errorf("address %+v", s)
		}
		if born, ok := w.Birthday(); born != 7 || !ok {
			t.Errorf("birthday %d", born)
		}
		path := w.path
		w.Close()
		w = openAt(t, path)
	}

	// Again: nothing happens.
	watch(t, w, Watch{Addresses: []string{addr(1).String()}, XPubs: []string{key}, From: 9})
	if len(w.Changed()) != 0 {
		t.Error("no change was told as one")
	}
	if err := w.Unwatch(ctx, Watch{Addresses: []string{keyAddr(t, key, 0, 3).String()}}); !errors.Is(err, ErrNotWatched) {
		t.Errorf("an address of an account taken out: %v", err)
	}
	// An address of the account watched by itself too stays when the account goes.
	own := keyAddr(t, key, 1, 2).String()
	watch(t, w, Watch{Addresses: []string{own}, From: 3})
	if err := w.Unwatch(ctx, Watch{XPubs: []string{key, key}, Scripts: [][]byte{multisig}}); err != nil {
		t.Fatal(err)
	}
	verify(t, w)
	list, _ := w.Watched(ctx)
	if len(list) != 2 || len(w.scripts) != 2 {
		t.Errorf("left: %+v", list)
	}
	if err := w.Unwatch(ctx, Watch{Addresses: []string{own, addr(1).String(), own}}); err != nil {
		t.Fatal(err)
	}
	if len(w.ledger.Groups()) != 0 || len(w.scripts) != 0 {
		t.Error("something is left")
	}
	if _, ok, _ := w.NextScan(context.Background(), 100); ok {
		t.Error("debt of nothing")
	}
	verify(t, w)
}

// TestUnwatch: coins and history of what is taken out are gone, of the rest
// they stay, and watching again brings everything back.
// Rule 15.
func TestUnwatch(t *testing.T) {
	c, w := newWorld(t), open(t)
	watchN(t, w, 0, 1, 2)
	a := c.pay(out(scriptN(1), 100), out(scriptN(2), 50))
	b := c.spend([]wire.OutPoint{opOf(a, 0), opOf(a, 1)}, out(scriptN(2), 149))
	only := c.pay(out(scriptN(1), 7))
	c.mine(a)
	c.mine(b, only)
	c.sync(w)
	addUnmined(t, w, c.pay(out(scriptN(1), 9)))
	both := summaryOf(t, w)
	if err := w.Unwatch(context.Background(), Watch{Addresses: []string{addr(1).String()}}); err != nil {
		t.Fatal(err)
	}
	verify(t, w)
	wantBalance(t, w, 149, 0, 0, 0)
	h := history(t, w)
	if len(h) != 2 || h[0].Net != 50 || h[1].Net != 99 || len(unmined(t, w)) != 0 {
		t.Fatalf("history: %+v", h)
	}
	replayed(t, w)
	watchN(t, w, 0, 1)
	c.sync(w)
	wantBalance(t, w, 156, 0, 0, 0)
	addUnmined(t, w, c.pay(out(scriptN(1), 9)))
	if got := summaryOf(t, w); strings.Split(got, "unmined")[0] != strings.Split(both, "unmined")[0] {
		t.Fatalf("afterwards\n%s\nbefore\n%s", got, both)
	}
}

// Rule 15.
func TestRescanRange(t *testing.T) {
	c, w := newWorld(t), open(t)
	for c.height() < 30 {
		c.mine()
	}
	watchN(t, w, 10, 1)
	watchN(t, w, 0, 2)
	c.sync(w)
	if err := w.Rescan(context.Background(), 5, 12, addr(1).String()); err != nil {
		t.Fatal(err)
	}
	scan, ok, _ := w.NextScan(context.Background(), 30)
	if !ok || scan.Range.From != 10 || scan.Range.To != 12 || scan.Query.Len() != 1 {
		t.Fatalf("scan %+v", scan)
	}
	if err := w.Rescan(context.Background(), 20, math.MaxUint32); err != nil {
		t.Fatal(err)
	}
	c.step(w, 30, nil)
	scan, ok, _ = w.NextScan(context.Background(), 30)
	if !ok || scan.Range.From != 10 && scan.Range.From != 20 {
		t.Fatalf("scan %+v", scan)
	}
	c.sync(w)
	if len(w.ledger.Groups()) != 1 {
		t.Errorf("%d groups", len(w.ledger.Groups()))
	}
	if _, ok, _ := w.NextScan(context.Background(), 30); ok {
		t.Error("more debt")
	}
}
