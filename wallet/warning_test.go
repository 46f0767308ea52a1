package wallet

import (
	"context"
	"slices"
	"testing"
)

// Rule 26.
func TestWhatIsDoubtful(t *testing.T) {
	for _, c := range []struct {
		from, gap uint32
		used      []uint32
		want      Warning // Kind, Index and Unused
	}{
		{0, 20, nil, Warning{}},
		{0, 20, []uint32{0, 1, 2, 3}, Warning{}},
		{0, 20, []uint32{0, 10}, Warning{}},
		{0, 20, []uint32{0, 11}, Warning{Kind: WarnEdge, Index: 11, Unused: 10}},
		{0, 20, []uint32{10}, Warning{Kind: WarnEdge, Index: 10, Unused: 10}},
		{0, 20, []uint32{0, 20, 21}, Warning{}}, // passed, and nothing was missed
		{7, 20, []uint32{9, 10}, Warning{}},
		{7, 20, []uint32{10, 11}, Warning{Kind: WarnBirthday, Index: 10, Unused: 10}},
		{0, 20, []uint32{10, 11}, Warning{}},
		{0, 100, []uint32{0, 21}, Warning{Kind: WarnUsualGap, Index: 21, Unused: 20}},
		{0, 100, []uint32{0, 51}, Warning{Kind: WarnEdge, Index: 51, Unused: 50}},
		{0, 1, []uint32{0, 1, 2}, Warning{}},
		{5, 1, []uint32{0}, Warning{}},
		{0, 3, []uint32{0, 3}, Warning{Kind: WarnEdge, Index: 3, Unused: 2}},
	} {
		got := Warning{Gap: c.gap, From: c.from}
		told := got.find(c.used)
		c.want.Gap, c.want.From = c.gap, c.from
		if got != c.want || told != (got.Kind != "") {
			t.Errorf("from %d, gap %d, %d in use: %+v, %v; want %+v", c.from, c.gap, c.used, got, told, c.want)
		}
	}
}

// TestWarnings: of an account near its gap's edge, of one that was used before its
// birthday, and not of what waits to be mined nor of one that is as it should be.
// Rule 26.
func TestWarnings(t *testing.T) {
	c, w := newWorld(t), open(t)
	edge, late, fine := testXPub(t, 1), testXPub(t, 2), testXPub(t, 3)
	pay := func(key string, branch, index uint32) {
		c.mine(c.pay(out(scriptOf(keyAddr(t, key, branch, index)), 1)))
	}
	for i := range uint32(13) {
		pay(late, 0, i)
		pay(fine, 0, i)
	}
	birthday := c.height()
	pay(edge, 1, 0)
	pay(edge, 1, 18)
	watch(t, w, Watch{XPubs: []string{edge, fine}})
	watch(t, w, Watch{XPubs: []string{late}, From: birthday - 1})
	addUnmined(t, w, c.pay(out(scriptOf(keyAddr(t, fine, 1, 19)), 1)))
	c.sync(w)
	want := []Warning{
		{Kind: WarnEdge, XPub: edge, Branch: 1, Index: 18, Unused: 17, Gap: 20},
		{Kind: WarnBirthday, XPub: late, Index: 12, Unused: 12, Gap: 20, From: birthday - 1},
	}
	if got, err := w.Warnings(context.Background()); err != nil || !slices.Equal(got, want) {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
	// Payments in between leave no doubt.
	pay(edge, 1, 10)
	pay(edge, 1, 17)
	c.sync(w)
	if got, err := w.Warnings(context.Background()); err != nil || !slices.Equal(got, want[1:]) {
		t.Errorf("%+v, %v; want %+v", got, err, want[1:])
	}
	// Nor is any left before it is tested what was before the birthday.
	watch(t, w, Watch{XPubs: []string{late}, From: 0})
	if got, err := w.Warnings(context.Background()); err != nil || len(got) != 0 {
		t.Errorf("before the test: %+v, %v", got, err)
	}
	c.sync(w)
	if got, err := w.Warnings(context.Background()); err != nil || len(got) != 0 {
		t.Errorf("%+v, %v; want none", got, err)
	}
}
