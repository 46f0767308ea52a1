package spv

import "github.com/decred/dcrd/wire"

// heard is what peers have sent and a wallet gets when it has time, and from whom it
// wants no more before the next block.
type heard struct {
	from map[string]*heardFrom // by address; none is empty

	full   map[string]bool // by address
	fullAt uint32          // height of our tip at that time
}

type heardFrom struct {
	txs   []*wire.MsgTx
	bytes int
}

// maxHeard and maxHeardBytes bound what waits for a busy wallet of one peer, so that
// none takes the place of what others send. What does not fit is lost, which costs
// nothing but that it is seen later, in its block.
const (
	maxHeard      = 200
	maxHeardBytes = 1 << 20
)

// add keeps a transaction until the wallet gets it.
func (h *heard) add(addr string, tx *wire.MsgTx) {
	if h.from == nil {
		h.from = make(map[string]*heardFrom)
	}
	f := h.from[addr]
	if f == nil {
		f = new(heardFrom)
		h.from[addr] = f
	}
	size := tx.SerializeSize()
	if len(f.txs) < maxHeard && f.bytes+size <= maxHeardBytes {
		f.txs = append(f.txs, tx)
		f.bytes += size
	}
}

// take returns what some peer has sent.
func (h *heard) take() (addr string, txs []*wire.MsgTx) {
	for addr, f := range h.from { // in any order: none is first
		delete(h.from, addr)
		return addr, f.txs
	}
	return "", nil
}

// refuse notes that the wallet wants no more of a peer while the tip is at a height.
func (h *heard) refuse(addr string, height uint32) {
	if h.full == nil || h.fullAt != height {
		h.full, h.fullAt = make(map[string]bool), height
	}
	h.full[addr] = true
}

// forgetHeard drops what a peer that is gone has sent, so that only what
// connected peers have sent waits.
func (e *engine) forgetHeard(s *session) {
	for _, w := range e.wallets {
		delete(w.heard.from, s.addr)
	}
}

// hearing reports whether some wallet wants to hear of what a peer announces.
func (e *engine) hearing(s *session) bool {
	if e.txs.heard() {
		return true
	}
	tip := e.chain.Tip().Height
	for _, w := range e.wallets {
		if w.unmined != nil && !(w.heard.fullAt == tip && w.heard.full[s.addr]) {
			return true
		}
	}
	return false
}
