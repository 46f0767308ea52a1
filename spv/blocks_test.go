package spv

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"dcrspv/spv/chain"
	"dcrspv/spv/internal/registry"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/wire"
)

// In whatever order blocks are needed, come, and are not needed any more: each is
// requested once, what is needed stays, and what is kept besides is bounded.
//
// Rules 1 and 20.
func TestBlockStage(t *testing.T) {
	for seed := range uint64(50) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			w := &blockWorld{t: t, rng: rand.New(rand.NewPCG(seed, 3)), users: make(map[chainhash.Hash]int)}
			for range 400 {
				w.act()
				w.check()
			}
		})
	}
}

// blockWorld uses a blockStage at random, and knows what it should hold.
type blockWorld struct {
	t     *testing.T
	rng   *rand.Rand
	st    blockStage
	users map[chainhash.Hash]int
}

// hash is one of twenty blocks.
func (w *blockWorld) hash() chainhash.Hash { return chainhash.Hash{byte(1 + w.rng.IntN(20))} }

// largeBlock is a block of some 100 kB.
func largeBlock() *wire.MsgBlock {
	tx := wire.NewMsgTx()
	tx.AddTxIn(wire.NewTxIn(&wire.OutPoint{}, 0, make([]byte, 100_000)))
	return &wire.MsgBlock{Transactions: []*wire.MsgTx{tx}}
}

func (w *blockWorld) act() {
	switch w.rng.IntN(5) {
	case 0, 1:
		h := w.hash()
		w.st.need(h, &chain.Header{})
		w.users[h]++
	case 2:
		if h := w.hash(); w.users[h] > 0 {
			w.st.drop(h)
			w.users[h]--
		}
	case 3: // a request ends with some of its blocks, or is called off
		if len(w.st.requests) == 0 {
			return
		}
		r := w.st.requests[w.rng.IntN(len(w.st.requests))]
		var came []arrivedBlock
		for i := range r.hashes {
			if w.rng.IntN(3) > 0 {
				came = append(came, arrivedBlock{i, largeBlock()})
			}
		}
		w.st.take(r, came)
	case 4:
		w.st.callOff()
	}
	for headers, hashes := w.st.unrequested(); len(hashes) > 0; {
		n := min(blocksPerRequest, len(hashes))
		w.st.add(newRequest(registry.Blocks, headers[:n], hashes[:n], nil, nil))
		headers, hashes = headers[n:], hashes[n:]
	}
}

func (w *blockWorld) check() {
	w.t.Helper()
	requested := make(map[chainhash.Hash]int)
	for _, r := range w.st.requests {
		for _, h := range r.hashes {
			requested[h]++
		}
	}
	for h, users := range w.users {
		if there := users > 0 && w.st.get(h) != nil; users > 0 && !there && requested[h] != 1 || there && requested[h] != 0 {
			w.t.Fatalf("block %v has %d users, is there: %v, and is in %d requests", h[0], users, there, requested[h])
		}
	}
	bytes := 0
	for _, h := range w.st.kept {
		if w.users[h] > 0 {
			w.t.Fatalf("block %v counts as kept and is needed", h[0])
		}
		bytes += w.st.blocks[h].msg.SerializeSize()
	}
	if bytes != w.st.keptBytes || bytes > maxKeptBytes {
		w.t.Fatalf("%d bytes are kept, counted are %d", bytes, w.st.keptBytes)
	}
	for h, b := range w.st.blocks {
		if w.users[h] == 0 && requested[h] == 0 && !slices.Contains(w.st.kept, h) {
			w.t.Fatalf("block %v is forgotten by everybody but the table: %+v", h[0], b.users)
		}
	}
}
