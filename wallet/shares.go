package wallet

// What peers send in no block costs them nothing, and takes places, and bytes in
// the log. So there is only so much of it, which the peers share: one may have as
// much as it leaves to all others. What is mined was no flood and is given back. The
// rest is forgiven block by block, as slowly as makes even an endless flood turn the
// log over in no less than a month.

const (
	// shareUnit is the size of transactions that count as one, and eventUnit that of
	// the event which tells of it; a longer one counts as several.
	shareUnit = maxSeenBytes / maxSeen
	eventUnit = 1 << 10

	// forgiven is how much of it is forgiven for a block.
	forgiven = 4

	// maxLogged bounds the bytes of events about what peers have sent: once there were
	// as many since the last block, nothing more is taken before the next one. The
	// last change may add as many again.
	maxLogged = 1 << 20
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

	// Since the block at that height: who has sent what can't be valid, and how many
	// bytes of events there were about what peers have sent.
	distrusted map[string]bool
	logged     int
}

// sent tells who has sent a transaction, and how many places it takes.
type sent struct {
	from   string
	places int
}

// places is how many a transaction of a size takes, with the event that tells of it.
func places(size, event int) int {
	return max(1, (size+shareUnit-1)/shareUnit, (event+eventUnit-1)/eventUnit)
}

// left is how many places are left.
func (s *shares) left() int {
	left := maxSeen
	for _, sh := range s.of {
		left -= sh.places
	}
	return left
}

// more reports whether a peer may send a transaction that takes so many places.
func (s *shares) more(from string, places int) bool {
	return s.logged < maxLogged && !s.distrusted[from] && s.of[from].sum()+places <= s.left()
}

// distrust has nothing more taken of a peer before the next block: it has sent what no
// node takes, and to find that out took time.
func (s *shares) distrust(from string) {
	if s.distrusted == nil {
		s.distrusted = make(map[string]bool)
	}
	s.distrusted[from] = true
}

// take notes a transaction of a peer.
func (s *shares) take(from string, id hash, n int) {
	if s.sent == nil {
		s.sent = make(map[hash]sent)
	}
	s.sent[id] = sent{from, n}
	s.add(from, share{places: n})
}

// forget forgets who has sent a transaction: it counts until that is forgiven.
func (s *shares) forget(id hash) { delete(s.sent, id) }

// charge notes the bytes of an event about what a peer has sent. If it is not the first one
// about that transaction, it is held against the peer.
func (s *shares) charge(from string, size int, again bool) {
	s.logged += size
	if again {
		s.add(from, share{debt: places(0, size)})
	}
}

// add adds to what is held against a peer.
func (s *shares) add(from string, more share) {
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
		s.add(t.from, share{places: -t.places})
	}
}

// settle forgives what has grown old when the chain has reached a height, of those
// who have the most.
func (s *shares) settle(height uint32) {
	if height > s.height {
		s.distrusted, s.logged = nil, 0
	}
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
		s.add(most, share{debt: -1})
	} else {
		s.add(most, share{places: -1})
	}
}
