package spvtest

import (
	"maps"
	"slices"
	"time"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/wire"
)

// Received is a message that a client sent.
type Received struct {
	Time    time.Time
	Client  int // number of the connection, from 1
	Command string
	Items   int // hashes in it: locator, inventory; blocks of a filter request; else 0
}

// Violation is something that dcrd drops a client for.
type Violation struct {
	Time   time.Time
	Client int
	Reason string
	Ban    bool // and bans its address for 24 hours
}

// counts is what a peer remembers about its clients' requests. It is guarded by
// the peer's mutex.
type counts struct {
	commands   map[string]int
	log        []Received
	violations []Violation
	filters    []uint16 // by height
	blocks     map[chainhash.Hash]int
	bytesIn    int64
	bytesOut   int64
}

func newCounts() counts {
	return counts{commands: make(map[string]int), blocks: make(map[chainhash.Hash]int)}
}

// received records a message.
func (p *Peer) received(client int, msg wire.Message, size int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.counts.commands[msg.Command()]++
	p.counts.bytesIn += int64(size)
	p.counts.log = append(p.counts.log, Received{time.Now(), client, msg.Command(), items(msg)})
	if m, ok := msg.(*wire.MsgGetData); ok {
		for _, v := range m.InvList {
			if v.Type == wire.InvTypeBlock {
				p.counts.blocks[v.Hash]++
			}
		}
	}
}

// sent records bytes sent to a client.
func (p *Peer) sent(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.counts.bytesOut += int64(n)
}

// items is the number of hashes in a message.
func items(msg wire.Message) int {
	switch m := msg.(type) {
	case *wire.MsgGetHeaders:
		return len(m.BlockLocatorHashes)
	case *wire.MsgGetData:
		return len(m.InvList)
	case *wire.MsgInv:
		return len(m.InvList)
	}
	return 0
}

// filtersRequested counts a request for the filters of a span of heights.
func (p *Peer) filtersRequested(from, to uint32) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if missing := int(to) + 1 - len(p.counts.filters); missing > 0 {
		p.counts.filters = append(p.counts.filters, make([]uint16, missing)...)
	}
	for h := from; h <= to; h++ {
		p.counts.filters[h]++
	}
}

// Count returns how many messages of a command all clients have sent.
func (p *Peer) Count(command string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.counts.commands[command]
}

// Log returns what clients have sent, in order.
func (p *Peer) Log() []Received {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.counts.log)
}

// Violations returns what dcrd would have dropped clients for, and this peer
// has.
func (p *Peer) Violations() []Violation {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.counts.violations)
}

// FilterRequests returns how often the filter of the block at a height was asked
// for, alone or in a batch. Requests that name unknown blocks do not count.
func (p *Peer) FilterRequests(height uint32) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if int(height) >= len(p.counts.filters) {
		return 0
	}
	return int(p.counts.filters[height])
}

// FiltersRequested returns how many filters were asked for in all, each as often
// as it was.
func (p *Peer) FiltersRequested() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for _, k := range p.counts.filters {
		n += int(k)
	}
	return n
}

// BlockRequests returns how often each block was asked for.
func (p *Peer) BlockRequests() map[chainhash.Hash]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.counts.blocks)
}

// Bytes returns how much was received from clients and sent to them.
func (p *Peer) Bytes() (in, out int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.counts.bytesIn, p.counts.bytesOut
}

// ResetCounts forgets all that was counted and logged.
func (p *Peer) ResetCounts() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.counts = newCounts()
}
