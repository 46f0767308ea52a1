package spv

import (
	"fmt"
	"testing"
)

// A status that was given out keeps its list of disconnected peers, whatever comes after, and
// the list is bounded.
// Rule 20.
func TestCutsOfAStatusStay(t *testing.T) {
	var c cuts
	var given [][]Cut
	for i := range 3 * maxCuts {
		c.add(Cut{Addr: fmt.Sprint(i)})
		given = append(given, c)
	}
	for i, list := range given {
		if len(list) > maxCuts || list[len(list)-1].Addr != fmt.Sprint(i) || list[0].Addr != fmt.Sprint(max(0, i+1-maxCuts)) {
			t.Errorf("list %d has %d, from %s to %s", i, len(list), list[0].Addr, list[len(list)-1].Addr)
		}
	}
}
