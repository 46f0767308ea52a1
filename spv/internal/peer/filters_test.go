package peer

import (
	"bytes"
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/wire"
)

// blockHashes returns n made-up hashes, different for every first.
func blockHashes(first byte, n int) []chainhash.Hash {
	hs := make([]chainhash.Hash, n)
	for i := range hs {
		hs[i] = chainhash.Hash{first, byte(i), 1}
	}
	return hs
}

func filterMsg(hash chainhash.Hash) *wire.MsgCFilterV2 {
	return wire.NewMsgCFilterV2(&hash, []byte{hash[0], hash[1]}, 0, nil)
}

func batchMsg(hs []chainhash.Hash) *wire.MsgCFiltersV2 {
	msg := new(wire.MsgCFiltersV2)
	for _, h := range hs {
		msg.CFilters = append(msg.CFilters, *filterMsg(h))
	}
	return msg
}

func askFilters(ctx context.Context, p *Peer, hs []chainhash.Hash) <-chan answer[[][]byte] {
	return call(func() ([][]byte, error) { return p.Filters(ctx, hs) })
}

func wantFilters(t *testing.T, got answer[[][]byte], hs []chainhash.Hash) {
	t.Helper()
	if got.err != nil || len(got.v) != len(hs) {
		t.Fatalf("%d filters for %d, %v", len(got.v), len(hs), got.err)
	}
	for i := range hs {
		if !bytes.Equal(got.v[i], hs[i][:2]) {
			t.Fatalf("filter %d is of another block", i)
		}
	}
}

// Several batches in flight, answered in another order.
func TestFiltersOutOfOrder(t *testing.T) {
	conversation(t, remoteVersion(), func(t *testing.T, p *Peer, r *remote, _ *log) {
		var asked [][]chainhash.Hash
		var replies []<-chan answer[[][]byte]
		for i, n := range []int{100, 1, 2, 57} {
			asked = append(asked, blockHashes(byte(i), n))
			replies = append(replies, askFilters(t.Context(), p, asked[i]))
			msg := expect[*wire.MsgGetCFsV2](r)
			if msg.StartHash != asked[i][0] || msg.EndHash != asked[i][n-1] {
				t.Errorf("asked for %v to %v", msg.StartHash, msg.EndHash)
			}
		}
		for _, i := range []int{2, 0, 3, 1} {
			r.send(batchMsg(asked[i]))
			wantFilters(t, <-replies[i], asked[i])
		}
		if s := p.Stats(); s.GetCFsV2 != 4 || s.Unsolicited != 0 {
			t.Errorf("stats %+v", s)
		}
	})
}

// Below protocol version 11 there are no batches; dcrd bans who asks for one.
func TestFiltersOneByOne(t *testing.T) {
	version := remoteVersion()
	version.ProtocolVersion = 10
	conversation(t, version, func(t *testing.T, p *Peer, r *remote, _ *log) {
		a, b := blockHashes(1, 100), blockHashes(2, 100)
		replyA, replyB := askFilters(t.Context(), p, a), askFilters(t.Context(), p, b)
		for range 200 { // all of them before the first answer
			expect[*wire.MsgGetCFilterV2](r)
		}
		for i := range 100 {
			r.send(filterMsg(b[99-i]), filterMsg(a[i]))
		}
		wantFilters(t, <-replyA, a)
		wantFilters(t, <-replyB, b)
		if s := p.Stats(); s.GetCFilterV2 != 200 || s.GetCFsV2 != 0 {
			t.Errorf("stats %+v", s)
		}
	})
}

func TestFiltersRefusesAnswersThatDontFit(t *testing.T) {
	asked := blockHashes(1, 10)
	swapped := batchMsg(asked)
	swapped.CFilters[3], swapped.CFilters[4] = swapped.CFilters[4], swapped.CFilters[3]
	proofIndex, proofHashes := batchMsg(asked), batchMsg(asked)
	proofIndex.CFilters[5].ProofIndex = 1
	proofHashes.CFilters[5].ProofHashes = make([]chainhash.Hash, 1)
	more := batchMsg(append(blockHashes(1, 10), chainhash.Hash{4}))
	for name, msg := range map[string]*wire.MsgCFiltersV2{
		"too few":       batchMsg(asked[:9]),
		"the last ones": batchMsg(asked[1:]),
		"too many":      more,
		"swapped":       swapped,
		"proof index":   proofIndex,
		"proof hashes":  proofHashes,
	} {
		t.Run(name, func(t *testing.T) {
			conversation(t, remoteVersion(), func(t *testing.T, p *Peer, r *remote, _ *log) {
				reply := askFilters(t.Context(), p, asked)
				expect[*wire.MsgGetCFsV2](r)
				r.send(msg)
				wantError(t, (<-reply).err, ErrProtocol)
			})
		})
	}
	t.Run("one by one", func(t *testing.T) {
		version := remoteVersion()
		version.ProtocolVersion = 9
		conversation(t, version, func(t *testing.T, p *Peer, r *remote, _ *log) {
			reply := askFilters(t.Context(), p, asked[:1])
			expect[*wire.MsgGetCFilterV2](r)
			r.send(&proofIndex.CFilters[5], &wire.MsgCFilterV2{BlockHash: asked[0], ProofIndex: 1})
			wantError(t, (<-reply).err, ErrProtocol)
		})
	})
}

func TestFiltersBadRequest(t *testing.T) {
	conversation(t, remoteVersion(), func(t *testing.T, p *Peer, r *remote, _ *log) {
		for _, n := range []int{0, 101} {
			_, err := p.Filters(t.Context(), blockHashes(1, n))
			wantError(t, err, ErrRequest)
		}
		reply := askFilters(t.Context(), p, blockHashes(1, 5))
		expect[*wire.MsgGetCFsV2](r)
		_, err := p.Filters(t.Context(), blockHashes(1, 5)[4:])
		wantError(t, err, ErrBusy)
		r.expectNothing()
		r.send(batchMsg(blockHashes(1, 5)))
		wantError(t, (<-reply).err, nil)
	})
}

// Each request has its own deadline: the answers to others don't extend it.
func TestFiltersStallIsPerRequest(t *testing.T) {
	conversation(t, remoteVersion(), func(t *testing.T, p *Peer, r *remote, _ *log) {
		dead := askFilters(t.Context(), p, blockHashes(1, 10))
		expect[*wire.MsgGetCFsV2](r)
		for i := range 5 {
			time.Sleep(5 * time.Second)
			hs := blockHashes(byte(10+i), 3)
			alive := askFilters(t.Context(), p, hs)
			expect[*wire.MsgGetCFsV2](r)
			r.send(batchMsg(hs))
			wantFilters(t, <-alive, hs)
		}
		got := <-dead
		wantError(t, got.err, ErrStalled)
		if got.took != 30*time.Second {
			t.Errorf("stalled after %v", got.took)
		}
	})
}

// Several filters asked for one by one: each one that comes is progress.
func TestFiltersOneByOneProgress(t *testing.T) {
	version := remoteVersion()
	version.ProtocolVersion = 10
	conversation(t, version, func(t *testing.T, p *Peer, r *remote, _ *log) {
		hs := blockHashes(1, 3)
		reply := askFilters(t.Context(), p, hs)
		for range hs {
			expect[*wire.MsgGetCFilterV2](r)
		}
		for _, h := range hs {
			time.Sleep(29 * time.Second)
			r.send(filterMsg(h))
		}
		wantFilters(t, <-reply, hs)
	})
}

// Rule 5.
func TestFiltersLateAnswer(t *testing.T) {
	conversation(t, remoteVersion(), func(t *testing.T, p *Peer, r *remote, _ *log) {
		hs := blockHashes(1, 10)
		ctx, cancel := context.WithCancel(t.Context())
		reply := askFilters(ctx, p, hs)
		expect[*wire.MsgGetCFsV2](r)
		cancel()
		wantError(t, (<-reply).err, context.Canceled)
		r.send(batchMsg(hs))
		synctest.Wait()
		if n := p.Stats().Unsolicited; n != 0 {
			t.Errorf("late answer counted as unsolicited")
		}
		r.send(batchMsg(hs))
		synctest.Wait()
		if n := p.Stats().Unsolicited; n != 1 {
			t.Errorf("%d counted, the second late answer was never asked for", n)
		}

		// The late answer may serve the same request made again; then the
		// second one is dropped.
		ctx, cancel = context.WithCancel(t.Context())
		reply = askFilters(ctx, p, hs)
		expect[*wire.MsgGetCFsV2](r)
		cancel()
		<-reply
		reply = askFilters(t.Context(), p, hs)
		expect[*wire.MsgGetCFsV2](r)
		r.send(batchMsg(hs), batchMsg(hs))
		wantFilters(t, <-reply, hs)
		synctest.Wait()
		if n := p.Stats().Unsolicited; n != 1 { // as before
			t.Errorf("late answer counted as unsolicited")
		}
	})
}

// The late answer to a request that was given up is not taken for the answer to
// one that begins or ends with the same block.
func TestFiltersLateAnswerToALongerRequest(t *testing.T) {
	hs := blockHashes(1, 12)
	for name, now := range map[string][]chainhash.Hash{"same start": hs[:9], "same end": hs[3:], "one block": hs[:1]} {
		t.Run(name, func(t *testing.T) {
			conversation(t, remoteVersion(), func(t *testing.T, p *Peer, r *remote, _ *log) {
				for _, earlier := range [][]chainhash.Hash{hs, hs[:10], hs[1:]} {
					ctx, cancel := context.WithCancel(t.Context())
					reply := askFilters(ctx, p, earlier)
					expect[*wire.MsgGetCFsV2](r)
					cancel()
					wantError(t, (<-reply).err, context.Canceled)
				}
				reply := askFilters(t.Context(), p, now)
				expect[*wire.MsgGetCFsV2](r)
				r.send(batchMsg(hs), batchMsg(hs[:10]), batchMsg(hs[1:]), batchMsg(now))
				wantFilters(t, <-reply, now)
				if n := p.Stats().Unsolicited; n != 0 {
					t.Errorf("%d late answers counted as unsolicited", n)
				}
				// Each was good once: the next is for who asks now.
				reply = askFilters(t.Context(), p, hs)
				expect[*wire.MsgGetCFsV2](r)
				r.send(batchMsg(hs[:10]))
				wantError(t, (<-reply).err, ErrProtocol)
			})
		})
	}
}

// An answer counts only on the connection that it was asked for on.
func TestAnswersOfAnotherPeerDontCount(t *testing.T) {
	conversation(t, remoteVersion(), func(t *testing.T, p *Peer, r *remote, _ *log) {
		other, otherRemote := connect(t, remoteVersion())
		ended := call(func() (any, error) { return nil, other.Run(t.Context(), new(log)) })
		hs := blockHashes(1, 10)
		msgs, blockHs := blocks(1)
		filters, gotBlocks := askFilters(t.Context(), p, hs), askBlocks(t.Context(), p, blockHs)
		otherRemote.send(batchMsg(hs), msgs[0])
		wantError(t, (<-filters).err, ErrStalled)
		wantError(t, (<-gotBlocks).err, ErrStalled)
		if n := other.Stats().Unsolicited; n != 2 {
			t.Errorf("%d unsolicited answers of the other", n)
		}
		other.Close(nil)
		<-ended
	})
}

// An answer is good once: the same batch again was never asked for.
func TestFiltersAnswerTwice(t *testing.T) {
	conversation(t, remoteVersion(), func(t *testing.T, p *Peer, r *remote, _ *log) {
		hs := blockHashes(1, 10)
		reply := askFilters(t.Context(), p, hs)
		expect[*wire.MsgGetCFsV2](r)
		r.send(batchMsg(hs))
		wantFilters(t, <-reply, hs)
		r.send(batchMsg(hs))
		synctest.Wait()
		if n := p.Stats().Unsolicited; n != 1 {
			t.Errorf("%d counted", n)
		}
	})
}

func TestUnsolicitedIsCountedAndIgnored(t *testing.T) {
	conversation(t, remoteVersion(), func(t *testing.T, p *Peer, r *remote, _ *log) {
		r.send(batchMsg(blockHashes(1, 3)), batchMsg(nil), filterMsg(chainhash.Hash{1}), block(1),
			wire.NewMsgNotFound(), wire.NewMsgPong(77))
		r.send(wire.NewMsgPing(3))
		expect[*wire.MsgPong](r) // still there
		if n := p.Stats().Unsolicited; n != 4 {
			t.Errorf("%d counted", n)
		}
	})
}
