package wallet

import (
	"errors"
	"maps"
	"strings"
	"testing"
)

func TestLabels(t *testing.T) {
	c, w := newWorld(t), open(t)
	ctx := background()
	key := testXPub(t, 1)
	watch(t, w, Watch{Addresses: []string{addr(1).String()}, Label: "shop"})
	watch(t, w, Watch{XPubs: []string{key}})
	derived := keyAddr(t, key, 0, 3).String()
	fund := c.pay(out(scriptN(1), 100))
	c.mine(fund)
	c.sync(w)
	wait := c.pay(out(scriptOf(keyAddr(t, key, 0, 3)), 5))
	addUnmined(t, w, wait)
	set := func(name, text string) {
		t.Helper()
		if err := w.SetLabel(ctx, name, text); err != nil {
			t.Fatal(err)
		}
		verify(t, w)
	}
	set(key, "savings")
	set(derived, "Bärbel")
	set(fund.TxHash().String(), "first money")
	set(wait.TxHash().String(), "soon")
	want := map[string]string{
		addr(1).String(): "shop", key: "savings", derived: "Bärbel",
		fund.TxHash().String(): "first money", wait.TxHash().String(): "soon",
	}
	for range 2 {
		got, err := w.Labels(ctx)
		if err != nil || !maps.Equal(got, want) {
			t.Fatalf("%v, %v", got, err)
		}
		path := w.path
		w.Close()
		w = openAt(t, path)
	}
	if h := history(t, w); h[0].Label != "first money" {
		t.Errorf("history %+v", h)
	}
	if u := utxos(t, w); u[0].Label != "shop" {
		t.Errorf("outputs %+v", u)
	}
	list, _ := w.Watched(ctx)
	if list[0].Label != "savings" || list[1].Label != "shop" {
		t.Errorf("watched %+v", list)
	}
	set(addr(1).String(), "stall")
	set(fund.TxHash().String(), "")
	set(wait.TxHash().String(), "now")
	c.mine(wait)
	c.sync(w)
	got, _ := w.Labels(ctx)
	if got[addr(1).String()] != "stall" || got[wait.TxHash().String()] != "now" || len(got) != 4 {
		t.Errorf("%v", got)
	}
	for name, tt := range map[string]struct {
		name, text string
		kind       error
	}{
		"long":      {key, strings.Repeat("x", maxLabel+1), ErrLabel},
		"not UTF-8": {key, "a\xff", ErrLabel},
		"control":   {key, "a\nb", ErrLabel},
		"escape":    {key, "\x1b[2J", ErrLabel},
		"stranger":  {addr(9).String(), "x", ErrNotWatched},
		"ahead":     {keyAddr(t, key, 0, 50).String(), "x", ErrNotWatched},
		"other key": {testXPub(t, 2), "x", ErrNotWatched},
		"other tx":  {strings.Repeat("12", 32), "x", ErrNotWatched},
		"nonsense":  {"hello", "x", ErrAddress},
	} {
		if err := w.SetLabel(ctx, tt.name, tt.text); !errors.Is(err, tt.kind) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := w.Watch(ctx, Watch{Scripts: [][]byte{{0x51}}, Label: "a\tb"}); !errors.Is(err, ErrLabel) {
		t.Errorf("watch: %v", err)
	}
}
