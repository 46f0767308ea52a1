package coverage

import (
	"math"
	"testing"
)

// TestScanUnderWay: a script that is added while a scan is under way does not spoil it; a
// block that was undone does.
func TestScanUnderWay(t *testing.T) {
	n := &naive{groups: make(map[uint64]string), scripts: make(map[*item]uint64)}
	e := New[*item](0).Edit(n)
	watch := func() {
		s := new(item)
		e.SetWatched(s, true)
		e.Add([]*item{s}, 5)
	}
	watch()
	r, groups, ok := e.Next(math.MaxUint32, 9)
	if !ok || r.From != 5 || r.To != 9 || len(groups) != 1 {
		t.Fatal(r, groups, ok)
	}
	versions := e.Give(groups)
	watch()
	if got := e.Unchanged(versions); len(got) != 1 || len(got[0].Scripts()) != 1 {
		t.Errorf("%d groups are left", len(got))
	}
	e.Undo(9)
	if got := e.Unchanged(versions); len(got) != 0 {
		t.Errorf("%d groups count with blocks that may be undone", len(got))
	}
	watch()
	if got := e.Groups(); len(got) != 2 {
		t.Errorf("%d groups", len(got))
	}
}
