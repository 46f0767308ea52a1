package spv

// scanned is how far a wallet was last known to have nothing left to test. changes counts the
// reasons to ask it again, so that an answer from before one is told apart.
type scanned struct {
	to      uint32
	valid   bool
	changes int
}

// through reports whether nothing is left up to a height.
func (s *scanned) through(height uint32) bool { return s.valid && s.to == height }

// expire has the wallet asked again; change too, whatever it answers now.
func (s *scanned) expire() { s.valid = false }

func (s *scanned) change() {
	s.valid = false
	s.changes++
}

// answer notes that nothing was left up to a height after so many changes.
func (s *scanned) answer(height uint32, changes int) {
	s.to, s.valid = height, changes == s.changes
}
