package peer

import "testing"

// The order is that in which the questions were written, whoever was first to ask.
func TestOrderIsThatOfWriting(t *testing.T) {
	table := newPending()
	first, second := newRequest(kindBlock, blockHashes(1, 1), 1), newRequest(kindBlock, blockHashes(2, 1), 1)
	for _, r := range []*request{first, second} {
		if err := table.add(r); err != nil {
			t.Fatal(err)
		}
	}
	table.noteOrder(second)
	table.noteOrder(first)
	table.answer(second)
	if _, ok := table.before(first); !ok {
		t.Error("what was written later has been passed over")
	}
	table.answer(first)
	if _, ok := table.before(second); ok {
		t.Error("what was written before has not been passed over")
	}
}
