package peer

import (
	"testing"
	"time"

	"dcrspv/spv/chain"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/wire"
)

// On a slow line an answer is waited for while it comes in, and so is the one behind
// it. Silence is not, nor is less than four kilobytes a second.
// Rule 1.
func TestAnswerThatComesInIsWaitedFor(t *testing.T) {
	long := new(wire.MsgCFiltersV2)
	hs := blockHashes(1, 100)
	for _, h := range hs {
		long.CFilters = append(long.CFilters, *wire.NewMsgCFilterV2(&h, make([]byte, 3000), 0, nil))
	}
	message := encode(t, long, simnet.Net)
	for name, c := range map[string]struct {
		bytes, seconds int           // that come
		stalled        time.Duration // zero is never
	}{
		"slow":         {len(message), 40, 0},
		"stops":        {160 << 10, 10, 45 * time.Second},
		"drop by drop": {80 << 10, 29, 30 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			conversation(t, remoteVersion(), func(t *testing.T, p *Peer, r *remote, _ *log) {
				first := askFilters(t.Context(), p, hs)
				expect[*wire.MsgGetCFsV2](r)
				second := call(func() ([]chain.Header, error) {
					return p.Headers(t.Context(), []chainhash.Hash{{7}}, chainhash.Hash{})
				})
				for i := range c.seconds {
					time.Sleep(time.Second)
					r.out <- message[i*c.bytes/c.seconds : (i+1)*c.bytes/c.seconds]
				}
				got := <-first
				if c.stalled > 0 {
					wantError(t, got.err, ErrStalled)
					if got.took != c.stalled {
						t.Errorf("stalled after %v", got.took)
					}
					wantError(t, (<-second).err, ErrStalled)
					return
				}
				if got.err != nil || len(got.v) != len(hs) {
					t.Errorf("%d filters: %v", len(got.v), got.err)
				}
				time.Sleep(29 * time.Second)
				r.send(&wire.MsgHeaders{})
				if got := <-second; got.err != nil {
					t.Errorf("the one behind it after %v: %v", got.took, got.err)
				}
			})
		})
	}
}

// Nodes answer in order, so a request is not waited for any longer because those
// behind it are answered.
// Rule 22.
func TestRequestThatWasPassedOverIsNotWaitedFor(t *testing.T) {
	conversation(t, remoteVersion(), func(t *testing.T, p *Peer, r *remote, _ *log) {
		first := askFilters(t.Context(), p, blockHashes(1, 10))
		expect[*wire.MsgGetCFsV2](r)
		for i := range 5 {
			hs := blockHashes(byte(2+i), 10)
			next := askFilters(t.Context(), p, hs)
			expect[*wire.MsgGetCFsV2](r)
			time.Sleep(5 * time.Second)
			r.send(batchMsg(hs))
			wantFilters(t, <-next, hs)
		}
		got := <-first
		wantError(t, got.err, ErrStalled)
		if got.took != stallLimit {
			t.Errorf("stalled after %v", got.took)
		}
	})
}

// The order is that in which the questions were written, whoever was first to ask.
func TestOrderIsThatOfWriting(t *testing.T) {
	table := newPending()
	first, second := newRequest(kindBlock, blockHashes(1, 1), 1), newRequest(kindBlock, blockHashes(2, 1), 1)
	for _, r := range []*request{first, second} {
		if err := table.add(r); err != nil {
			t.Fatal(err)
		}
	}
	table.asked(second)
	table.asked(first)
	table.answer(second)
	if _, ok := table.before(first); !ok {
		t.Error("what was written later has been passed over")
	}
	table.answer(first)
	if _, ok := table.before(second); ok {
		t.Error("what was written before has not been passed over")
	}
}
