package spvtest

import (
	"slices"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/wire"
)

// filterSpan returns the heights that a filter request names. Not ok: blocks not
// in view, in the wrong order, or too many. dcrd says nothing to such a request.
func (v view) filterSpan(start, end *chainhash.Hash) (from, to uint32, ok bool) {
	from, known := v.find(start)
	to, ok = v.find(end)
	return from, to, known && ok && from <= to && to-from < wire.MaxCFiltersV2PerBatch
}

// countFilters records what a request asks for.
func (c *Client) countFilters(start, end *chainhash.Hash) {
	if from, to, ok := c.peer.serving().filterSpan(start, end); ok {
		c.peer.filtersRequested(from, to)
	}
}

// sendFilter answers getcfilterv2.
func (c *Client) sendFilter(m *wire.MsgGetCFilterV2) {
	b, v := c.peer.Behaviour(), c.peer.serving()
	height, ok := v.find(&m.BlockHash)
	if !ok || b.BadFilters == FiltersShort && b.lies(height, height) {
		return
	}
	filter := b.filter(v, height)
	c.transmit(&filter)
}

// sendFilters answers getcfsv2.
func (c *Client) sendFilters(m *wire.MsgGetCFsV2) {
	b, v := c.peer.Behaviour(), c.peer.serving()
	from, to, ok := v.filterSpan(&m.StartHash, &m.EndHash)
	if !ok {
		return
	}
	if b.BadFilters == FiltersShort && b.lies(from, to) {
		to--
	}
	filters := make([]wire.MsgCFilterV2, 0, wire.MaxCFiltersV2PerBatch)
	for h := from; h <= to && to != ^uint32(0); h++ {
		filters = append(filters, b.filter(v, h))
	}
	if len(filters) > 0 {
		c.transmit(wire.NewMsgCFiltersV2(filters))
	}
}

// lies reports whether the fault in filters applies to a span of heights.
func (b *Behaviour) lies(from, to uint32) bool {
	if b.BadFilterBelow != 0 && from >= b.BadFilterBelow {
		return false
	}
	return b.BadFilterAt == 0 || from <= b.BadFilterAt && b.BadFilterAt <= to
}

// filter makes the message for the filter of a block: its commitment is the only
// one of the header, so the proof is empty.
func (b *Behaviour) filter(v view, height uint32) wire.MsgCFilterV2 {
	m := wire.MsgCFilterV2{BlockHash: v.Hash(height), Data: v.Filter(height)}
	if !b.lies(height, height) {
		return m
	}
	switch b.BadFilters {
	case FiltersFlipped:
		m.Data = slices.Clone(m.Data)
		m.Data[len(m.Data)-1] ^= 0x80
	case FiltersEmpty:
		m.Data = nil
	case FiltersSwapped:
		m.Data = v.Filter(max(height, 1) - 1)
	case FiltersForeign:
		m.BlockHash[0] ^= 1
	case FiltersProof:
		m.ProofHashes = []chainhash.Hash{m.BlockHash}
	}
	return m
}
