package wallet

// What peers send in no block costs them nothing, and takes places and entries in
// the log. So there is only so much of it, which the peers share: one may have as
// much as it leaves to all others. What is mined was no flood and is given back. The
// rest is forgiven block by block, as slowly as makes even an endless flood turn the
// log over in no less than a month.

const (
	// shareUnit is the size of transactions that count as one; a longer one counts
	// as several.
	shareUnit = maxSeenBytes / maxSeen

	// forgiven is how much of it is forgiven for a block.
	forgiven = 4
)

// share is what is held against a peer.
type share struct {
	places int // of what it has sent
	debt   int // changes of the effect of what waits, which that has caused
}

func (s share) sum() int { return s.places + s.debt }

// shares is what each peer has of the places for transactions in no block. The zero
// value has none taken.
type shares struct {
	of     map[string]share // by peer; none is zero
	sent   map[hash]sent    // of those that wait
	height uint32           // up to which it is forgiven
}

// sent tells who has sent a transaction, and how many places it takes.
type sent struct {
	from   string
	places int
}

// places is how many a transaction of a size takes.
func places(size int) int { return max(1, (size+shareUnit-1)/shareUnit) }

// left is how many places are left.
func (s *shares) left() int {
	left := maxSeen
	for _, sh := range s.of {
		left -= sh.places
	}
	return left
}

// more reports whether a peer may send a transaction of a size.
func (s *shares) more(from string, size int) bool {
	return s.of[from].sum()+places(size) <= s.left()
}

// take notes a transaction of a peer.
func (s *shares) take(from string, id hash, size int) {
	if s.sent == nil {
		s.sent = make(map[hash]sent)
	}
	n := places(size)
	s.sent[id] = sent{from, n}
	s.charge(from, share{places: n})
}

// charge adds to what is held against a peer.
func (s *shares) charge(from string, more share) {
	if s.of == nil {
		s.of = make(map[string]share)
	}
	sh := s.of[from]
	sh = share{max(sh.places+more.places, 0), max(sh.debt+more.debt, 0)}
	if s.of[from] = sh; sh.sum() == 0 {
		delete(s.of, from)
	}
}

// giveBack is take undone: it was no flood.
func (s *shares) giveBack(id hash) {
	if t, ok := s.sent[id]; ok {
		delete(s.sent, id)
		s.charge(t.from, share{places: -t.places})
	}
}

// settle forgives what has grown old when the chain has reached a height, of those
// who have the most.
func (s *shares) settle(height uint32) {
	for ; s.height < height && len(s.of) > 0; s.height++ {
		for range forgiven {
			s.forgive()
		}
	}
	s.height = max(s.height, height)
}

func (s *shares) forgive() {
	var most string
	for from, sh := range s.of {
		if n := s.of[most].sum(); sh.sum() > n || sh.sum() == n && from < most {
			most = from
		}
	}
	if s.of[most].debt > 0 {
		s.charge(most, share{debt: -1})
	} else {
		s.charge(most, share{places: -1})
	}
}
