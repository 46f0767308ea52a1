package spv

import "testing"

// That a wallet has nothing left to test counts up to the height that it was asked for, and
// not if it has changed since it was asked.
// Rule 15.
func TestAnswerFromBeforeAChange(t *testing.T) {
	var s scanned
	if s.through(0) {
		t.Error("it was never asked")
	}
	s.answer(10, s.changes)
	if !s.through(10) || s.through(11) {
		t.Errorf("through 10: %v, through 11: %v", s.through(10), s.through(11))
	}
	asked := s.changes
	s.change()
	if s.through(10) {
		t.Error("it has changed")
	}
	if s.answer(10, asked); s.through(10) {
		t.Error("the answer is from before the change")
	}
	if s.answer(10, s.changes); !s.through(10) {
		t.Error("the answer after the change does not count")
	}
	if s.expire(); s.through(10) {
		t.Error("the best chain is another one")
	}
}
