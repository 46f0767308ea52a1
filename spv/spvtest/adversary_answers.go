package spvtest

import (
	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/wire"
)

// answer makes the messages that answer a request as a rule says, with the chain
// as it is now.
func (a *Adversary) answer(c *Client, r Rule, serves bool, msg wire.Message) []wire.Message {
	if a.peer.Behaviour().Hook == nil {
		return nil // good again
	}
	v := a.peer.serving()
	switch m := msg.(type) {
	case *wire.MsgPing:
		return []wire.Message{wire.NewMsgPong(m.Nonce)}
	case *wire.MsgGetHeaders:
		return a.remember(r, &a.conn.headers, a.headers(c, v, r, m))
	case *wire.MsgGetCFsV2:
		return a.remember(r, &a.conn.filters, a.filters(a.branch(v, &m.StartHash, serves), r, &m.StartHash, &m.EndHash, true))
	case *wire.MsgGetCFilterV2:
		return a.remember(r, &a.conn.filters, a.filters(a.branch(v, &m.BlockHash, serves), r, &m.BlockHash, &m.BlockHash, false))
	case *wire.MsgGetData:
		return a.data(r, serves, m)
	}
	return nil
}

// branch is the chain that a block is looked up on: a side branch, if it is there
// and served.
func (a *Adversary) branch(v view, hash *chainhash.Hash, serves bool) view {
	if _, ok := v.find(hash); ok || !serves {
		return v
	}
	if side, ok := a.memory.branchOf(hash); ok {
		return side
	}
	return v
}

// remember keeps an answer, or gives the one before it.
func (a *Adversary) remember(r Rule, last *wire.Message, msg wire.Message) []wire.Message {
	a.mu.Lock()
	defer a.mu.Unlock()
	if r.Do == Repeated && *last != nil {
		msg = *last
	}
	if msg == nil {
		return nil
	}
	*last = msg
	return []wire.Message{msg}
}

// headers answers getheaders.
func (a *Adversary) headers(c *Client, v view, r Rule, m *wire.MsgGetHeaders) wire.Message {
	n := uint32(max(r.N, 1))
	from, to := locate(v, m)
	switch r.Do {
	case Empty:
		return headersMessage(nil)
	case Part:
		to = min(to, from+min(n, wire.MaxBlockHeadersPerMsg)-1)
	case Older:
		from -= min(n, from-1)
		to = from + wire.MaxBlockHeadersPerMsg - 1
	case Later:
		from, to = from+n, from+n+wire.MaxBlockHeadersPerMsg-1
	case Walk:
		from, to = a.walk(v, min(n, wire.MaxBlockHeadersPerMsg))
		if from > v.height {
			c.Close()
			return nil
		}
	case Side:
		side := a.memory.side(v, n)
		from, to = locate(side, m)
		return side.headersOf(from, to)
	}
	return v.headersOf(from, to)
}

// walk is the next span of headers from genesis to the tip. The last that would
// not be full is not sent: there it hangs up and begins again.
func (a *Adversary) walk(v view, n uint32) (from, to uint32) {
	a.mu.Lock()
	defer a.mu.Unlock()
	from, to = a.conn.walked+1, a.conn.walked+n
	a.conn.walked = to
	if to > v.height {
		a.conn.walked, from = 0, v.height+1
	}
	return from, to
}

// filters answers a request for filters: nil is silence, as of a dcrd that does
// not know the blocks.
func (a *Adversary) filters(v view, r Rule, start, end *chainhash.Hash, batch bool) wire.Message {
	from, to, ok := v.filterSpan(start, end)
	if !ok {
		return nil
	}
	n := uint32(max(r.N, 1))
	switch r.Do {
	case Empty:
		if batch {
			return wire.NewMsgCFiltersV2(nil)
		}
		return nil
	case Part:
		to = min(to, from+n-1)
	case Half:
		to = from + (to-from)/2
	case Older:
		n = min(n, from)
		from, to = from-n, to-n
	case Later:
		n = min(n, v.height-to)
		from, to = from+n, to+n
	}
	filters := make([]wire.MsgCFilterV2, 0, wire.MaxCFiltersV2PerBatch)
	for h := from; h <= to; h++ {
		filters = append(filters, wire.MsgCFilterV2{BlockHash: v.Hash(h), Data: v.Filter(h)})
	}
	if !batch {
		return &filters[0]
	}
	return wire.NewMsgCFiltersV2(filters)
}

// data answers getdata.
func (a *Adversary) data(r Rule, serves bool, m *wire.MsgGetData) []wire.Message {
	unknown := wire.NewMsgNotFound()
	var msgs []wire.Message
	for i, item := range m.InvList {
		msg := a.item(r, serves, item)
		switch {
		case r.Do == Part && i >= max(r.N, 1):
		case r.Do == NotFound || msg == nil:
			unknown.AddInvVect(item)
		default:
			msgs = append(msgs, a.remember(r, &a.conn.data, msg)...)
		}
	}
	if len(unknown.InvList) > 0 {
		msgs = append(msgs, unknown)
	}
	return msgs
}

// item is what a getdata asks for, or what is sent in its place; nil if it is not
// known.
func (a *Adversary) item(r Rule, serves bool, item *wire.InvVect) wire.Message {
	switch item.Type {
	case wire.InvTypeTx:
		if tx := a.peer.tx(&item.Hash); tx != nil {
			return tx
		}
	case wire.InvTypeBlock:
		for _, v := range a.peer.everServed() {
			if v = a.branch(v, &item.Hash, serves); r.Do == NotFound {
				return nil
			}
			if height, ok := v.find(&item.Hash); ok {
				if r.Do == Older {
					height -= min(uint32(max(r.N, 1)), height)
				}
				return v.Block(height)
			}
		}
	}
	return nil
}
