package wallet

import (
	"context"
	"errors"
	"slices"
	"testing"
)

// TestHistoryPage: pages of any size make the whole history, backwards, also when
// the chain changes in between.
// Rule 26.
func TestHistoryPage(t *testing.T) {
	c, w := newWorld(t), open(t)
	ctx := context.Background()
	if page, err := w.HistoryPage(ctx, nil, 10); err != nil || len(page) != 0 {
		t.Fatal(page, err)
	}
	watchN(t, w, 0, 1)
	for range 10 {
		c.mine(c.pay(out(scriptN(1), 1)), c.pay(out(scriptN(1), 2)), c.ticket(c.foreignOutput(), addr(1), addr(1), 5, 0))
	}
	c.sync(w)
	want := history(t, w)
	slices.Reverse(want)
	for _, size := range []int{1, 4, 30, 100} {
		var got []Tx
		for before := (*Tx)(nil); ; before = &got[len(got)-1] {
			page, err := w.HistoryPage(ctx, before, size)
			if err != nil || len(page) > size {
				t.Fatal(len(page), err)
			}
			if len(page) == 0 {
				break
			}
			got = append(got, page...)
		}
		if !slices.EqualFunc(got, want, func(a, b Tx) bool { return a.TxID == b.TxID && a.Index == b.Index }) {
			t.Fatalf("pages of %d: %d entries, not %d", size, len(got), len(want))
		}
	}
	last := want[3]
	if err := w.Rewind(context.Background(), c.id(5)); err != nil {
		t.Fatal(err)
	}
	page, err := w.HistoryPage(ctx, &last, 2)
	if err != nil || len(page) != 2 || page[0].TxID != want[15].TxID {
		t.Fatalf("%+v, %v", page, err)
	}
	if page, err := w.HistoryPage(ctx, nil, 0); err != nil || len(page) != 0 {
		t.Fatal(page, err)
	}
	w.Close()
	if _, err := w.HistoryPage(ctx, nil, 1); !errors.Is(err, ErrClosed) {
		t.Fatal(err)
	}
}
