package spv

import (
	"encoding/binary"
	"testing"

	"dcrspv/spv/chain"
	"dcrspv/spv/internal/peer"
	"dcrspv/spv/internal/registry"
)

// A peer that is silent about filters, or says notfound about blocks, may have them on a
// branch that is not its best. Once that costs it nothing, and it is asked for its
// headers; again, or of what it has shown to have, it is a fault.
// Rules 14 and 23.
func TestSilenceMayBeAnotherView(t *testing.T) {
	for name, c := range map[string]struct {
		kind   registry.Kind
		err    error
		proved uint32
		times  int
		fault  bool
	}{
		"filters":                {registry.Filters, peer.ErrStalled, 0, 1, false},
		"filters again":          {registry.Filters, peer.ErrStalled, 0, 2, true},
		"filters that it has":    {registry.Filters, peer.ErrStalled, 60, 1, true},
		"blocks":                 {registry.Blocks, peer.ErrNotFound, 0, 1, false},
		"blocks again":           {registry.Blocks, peer.ErrNotFound, 0, 2, true},
		"blocks that it has":     {registry.Blocks, peer.ErrNotFound, 60, 1, true},
		"blocks, without a word": {registry.Blocks, peer.ErrStalled, 0, 1, true},
	} {
		e, sessions := stillEngine(t, 100, 100)
		s := sessions[0]
		s.peer = stillSource{}
		e.registry.Validated(s.addr, c.proved, e.now)
		var header chain.Header
		binary.LittleEndian.PutUint32(header[128:], 60) // its height
		if header.Height() != 60 {
			t.Fatalf("of block %d", header.Height())
		}
		for range c.times {
			e.judgeSilence(s, c.kind, header.Height(), c.err)
		}
		pauses := len(e.registry.Serving(c.kind, 60, e.now)) == 0
		if pauses != c.fault {
			t.Errorf("%s: it pauses: %v", name, pauses)
		}
		if !c.fault && c.kind == registry.Filters && !s.recheck.wanted {
			t.Errorf("%s: it is not asked for its headers", name)
		}
	}
}
