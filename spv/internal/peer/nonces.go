package peer

import (
	"math/rand/v2"
	"sync"
)

// Nonces is the set of numbers that our own handshakes in progress have put
// into their version messages. The zero value is ready to use, by any number
// of goroutines.
type Nonces struct {
	mu  sync.Mutex
	set map[uint64]struct{}
}

// draw returns a new random number and remembers it until forget.
func (n *Nonces) draw() uint64 {
	nonce := rand.Uint64()
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.set == nil {
		n.set = make(map[uint64]struct{})
	}
	n.set[nonce] = struct{}{}
	return nonce
}

// ours tells whether nonce is in the set.
func (n *Nonces) ours(nonce uint64) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	_, ok := n.set[nonce]
	return ok
}

// forget removes nonce.
func (n *Nonces) forget(nonce uint64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.set, nonce)
}
