package spv

import (
	"dcrspv/spv/chain"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/wire"
)

// handler receives what a peer says without being asked. Its methods run on
// the peer's reader and wait until the engine has dealt with it, so that a flood
// costs the flooder, and no peer has more than one message in memory.
type handler struct {
	e *engine
	s *session
}

// deal posts an event and waits until it was applied.
func (h *handler) deal(ev event) {
	applied := make(chan struct{})
	if !h.e.post(said{ev, h.s, applied}) {
		return
	}
	select {
	case <-applied:
	case <-h.e.ctx.Done():
	}
}

// said is what a peer has said, which waits until it is dealt with. From a peer that is
// gone it counts for nothing.
type said struct {
	event
	s       *session
	applied chan struct{}
}

func (ev said) apply(e *engine) {
	defer close(ev.applied)
	if e.sessions.has(ev.s) {
		ev.event.apply(e)
	}
}

func (h *handler) Headers(headers []chain.Header) {
	batch, err := h.e.rules.Check(headers)
	h.deal(announcedHeaders{s: h.s, batch: batch, err: err, count: len(headers)})
}

func (h *handler) Inv(inv []*wire.InvVect) {
	var txs, mixes []chainhash.Hash
	var block *chainhash.Hash
	mixing := h.e.messages.mixes()
	for _, item := range inv {
		switch item.Type {
		case wire.InvTypeTx:
			txs = append(txs, item.Hash)
		case wire.InvTypeBlock:
			// Only the last one matters: dcrd announces in order, and a
			// getheaders brings those before it.
			block = &item.Hash
		case wire.InvTypeMix:
			if mixing {
				mixes = append(mixes, item.Hash)
			}
		}
	}
	if block != nil {
		h.deal(announcedBlock{s: h.s, hash: *block})
	}
	if len(txs) > 0 && h.e.relay.wanted {
		h.deal(announcedTxs{s: h.s, kind: wire.InvTypeTx, hashes: txs})
	}
	if len(mixes) > 0 {
		h.deal(announcedTxs{s: h.s, kind: wire.InvTypeMix, hashes: mixes})
	}
}

func (h *handler) GetData(inv []*wire.InvVect) {
	var txs, mixes []*wire.InvVect
	for _, item := range inv {
		if item.Type == wire.InvTypeMix {
			mixes = append(mixes, item)
		} else {
			txs = append(txs, item)
		}
	}
	if len(txs) > 0 {
		h.deal(wantsData{s: h.s, inv: txs})
	}
	if len(mixes) > 0 {
		h.deal(wantsMixes{s: h.s, inv: mixes})
	}
}

func (h *handler) Addrs(addrs []string) {
	h.deal(gossip{s: h.s, addrs: addrs})
}

func (h *handler) Tx(tx *wire.MsgTx) {
	if h.e.relay.wanted {
		h.deal(newArrivedTx(h.s, tx))
	}
}

func (h *handler) Message(msg wire.Message) {
	h.deal(newArrivedMessage(h.s, msg))
}

func (h *handler) NotFound(txs []chainhash.Hash) {
	h.deal(missingTxs{s: h.s, hashes: txs})
}
