package peer

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/wire"
)

func block(nonce uint32) *wire.MsgBlock {
	return &wire.MsgBlock{Header: wire.BlockHeader{Nonce: nonce, Timestamp: time.Unix(0, 0)}}
}

func blocks(n int) (msgs []*wire.MsgBlock, hs []chainhash.Hash) {
	for i := range n {
		b := block(uint32(i))
		msgs, hs = append(msgs, b), append(hs, b.BlockHash())
	}
	return msgs, hs
}

// askBlocks returns the places in the order of arrival.
func askBlocks(ctx context.Context, p *Peer, hs []chainhash.Hash) <-chan answer[[]int] {
	return call(func() ([]int, error) {
		var places []int
		err := p.Blocks(ctx, hs, func(i int, b *wire.MsgBlock) error {
			if b.BlockHash() != hs[i] {
				return errors.New("another block")
			}
			places = append(places, i)
			return nil
		})
		return places, err
	})
}

func TestBlocks(t *testing.T) {
	conversation(t, remoteVersion(), func(t *testing.T, p *Peer, r *remote, _ *log) {
		msgs, hs := blocks(40)
		reply := askBlocks(t.Context(), p, hs[:20])
		if n := len(expect[*wire.MsgGetData](r).InvList); n != 20 {
			t.Errorf("asked for %d blocks", n)
		}
		other := askBlocks(t.Context(), p, hs[20:])
		expect[*wire.MsgGetData](r)
		var want []int
		for i := 19; i >= 0; i-- { // in any order of arrival
			want = append(want, i)
			r.send(msgs[20+i], msgs[i])
		}
		if got := <-reply; got.err != nil || !slices.Equal(got.v, want) {
			t.Errorf("places %v, %v", got.v, got.err)
		}
		wantError(t, (<-other).err, nil)
		if n := p.Stats().Blocks; n != 40 {
			t.Errorf("%d blocks counted", n)
		}
	})
}

func TestBlocksBadRequest(t *testing.T) {
	conversation(t, remoteVersion(), func(t *testing.T, p *Peer, r *remote, _ *log) {
		_, hs := blocks(501)
		for _, list := range [][]chainhash.Hash{nil, hs, {hs[0], hs[0]}} {
			wantError(t, (<-askBlocks(t.Context(), p, list)).err, ErrRequest)
		}
		r.expectNothing()
	})
}

// 500 blocks are one message.
func TestBlocksAtMost(t *testing.T) {
	conversation(t, remoteVersion(), func(t *testing.T, p *Peer, r *remote, _ *log) {
		msgs, hs := blocks(500)
		reply := askBlocks(t.Context(), p, hs)
		if n := len(expect[*wire.MsgGetData](r).InvList); n != 500 {
			t.Errorf("asked for %d blocks", n)
		}
		for _, b := range msgs {
			r.send(b)
		}
		if got := <-reply; got.err != nil || len(got.v) != 500 {
			t.Errorf("%d blocks, %v", len(got.v), got.err)
		}
	})
}

// The answer to a block that was given up is good once.
// Rule 5.
func TestBlocksLateAnswer(t *testing.T) {
	conversation(t, remoteVersion(), func(t *testing.T, p *Peer, r *remote, _ *log) {
		msgs, hs := blocks(1)
		wantError(t, (<-askBlocks(t.Context(), p, hs)).err, ErrStalled)
		for want := range int64(3) {
			r.send(msgs[0])
			synctest.Wait()
			if n := p.Stats().Unsolicited; n != want {
				t.Errorf("%d counted, want %d", n, want)
			}
		}
	})
}

// What came before the end of the connection is delivered, however late the
// caller looks.
func TestBlocksThatCameBeforeTheEnd(t *testing.T) {
	for range 10 { // of two things that are ready Go takes either
		running(t, new(log), func(t *testing.T, p *Peer, r *remote, ended <-chan answer[any]) {
			msgs, hs := blocks(1 + blockBuffer)
			release := make(chan struct{})
			reply := call(func() (n int, err error) {
				err = p.Blocks(t.Context(), hs, func(int, *wire.MsgBlock) error {
					<-release
					n++
					return nil
				})
				return n, err
			})
			expect[*wire.MsgGetData](r)
			for _, b := range msgs {
				r.send(b)
			}
			r.hangUp()
			<-ended
			close(release)
			if got := <-reply; got.err != nil || got.v != len(hs) {
				t.Errorf("%d blocks of %d, %v", got.v, len(hs), got.err)
			}
		})
	}
}

func TestBlocksNotFound(t *testing.T) {
	conversation(t, remoteVersion(), func(t *testing.T, p *Peer, r *remote, _ *log) {
		msgs, hs := blocks(6)
		lacking := askBlocks(t.Context(), p, hs[:3])
		expect[*wire.MsgGetData](r)
		others := askBlocks(t.Context(), p, hs[3:])
		expect[*wire.MsgGetData](r)
		r.send(msgs[0])
		notFound := wire.NewMsgNotFound()
		notFound.AddInvVect(wire.NewInvVect(wire.InvTypeTx, &hs[4]))
		notFound.AddInvVect(wire.NewInvVect(wire.InvTypeBlock, &hs[1]))
		r.send(notFound, msgs[2])
		if got := <-lacking; !errors.Is(got.err, ErrNotFound) || !slices.Equal(got.v, []int{0}) {
			t.Errorf("places %v, %v", got.v, got.err)
		}
		r.send(msgs[3], msgs[4], msgs[5])
		wantError(t, (<-others).err, nil)
		synctest.Wait()
		if n := p.Stats().Unsolicited; n != 0 {
			t.Errorf("%d unsolicited", n)
		}
	})
}

func TestBlocksStallsWithoutProgress(t *testing.T) {
	conversation(t, remoteVersion(), func(t *testing.T, p *Peer, r *remote, _ *log) {
		msgs, hs := blocks(3)
		reply := askBlocks(t.Context(), p, hs)
		expect[*wire.MsgGetData](r)
		for _, b := range msgs[:2] {
			time.Sleep(20 * time.Second)
			r.send(b)
		}
		got := <-reply
		wantError(t, got.err, ErrStalled)
		if got.took != 70*time.Second {
			t.Errorf("stalled after %v", got.took)
		}
	})
}

// Rule 7.
func TestBlocksEndsWithTheCallersError(t *testing.T) {
	conversation(t, remoteVersion(), func(t *testing.T, p *Peer, r *remote, _ *log) {
		msgs, hs := blocks(20)
		stop := errors.New("stop")
		reply := call(func() (int, error) {
			return 0, p.Blocks(t.Context(), hs, func(int, *wire.MsgBlock) error { return stop })
		})
		expect[*wire.MsgGetData](r)
		for _, b := range msgs {
			r.send(b) // the reader is not stuck with what nobody wants
		}
		wantError(t, (<-reply).err, stop)
		synctest.Wait()
		if n := p.Stats().Unsolicited; n != 0 {
			t.Errorf("%d unsolicited", n)
		}
	})
}

// A slow caller holds up the remote, not the memory, and is not held against
// the remote.
// Rule 20.
func TestBlocksBackpressure(t *testing.T) {
	conversation(t, remoteVersion(), func(t *testing.T, p *Peer, r *remote, _ *log) {
		msgs, hs := blocks(100)
		release := make(chan struct{})
		reply := call(func() (int, error) {
			n := 0
			return 0, p.Blocks(t.Context(), hs, func(int, *wire.MsgBlock) error {
				<-release
				n++
				return nil
			})
		})
		expect[*wire.MsgGetData](r)
		filters := askFilters(t.Context(), p, blockHashes(1, 2))
		expect[*wire.MsgGetCFsV2](r)
		size, before := len(encode(t, msgs[0], simnet.Net)), p.Stats().BytesIn
		for _, b := range msgs {
			r.send(b)
		}
		r.send(batchMsg(blockHashes(1, 2)))
		synctest.Wait()
		if n := int(p.Stats().BytesIn-before) / size; n > 4096/size+2 {
			t.Errorf("%d blocks were read while the caller was busy", n)
		}
		time.Sleep(10 * time.Minute)
		close(release)
		wantError(t, (<-reply).err, nil)
		wantError(t, (<-filters).err, nil)
	})
}

func TestRequestsEndWithTheConnection(t *testing.T) {
	conversation(t, remoteVersion(), func(t *testing.T, p *Peer, r *remote, _ *log) {
		_, hs := blocks(3)
		headers := askHeaders(t.Context(), p, genesis)
		filters := askFilters(t.Context(), p, blockHashes(1, 2))
		got := askBlocks(t.Context(), p, hs)
		synctest.Wait()
		p.Close(errors.New("no longer wanted"))
		wantError(t, (<-headers).err, ErrClosed)
		wantError(t, (<-filters).err, ErrClosed)
		wantError(t, (<-got).err, ErrClosed)
		wantError(t, (<-askBlocks(t.Context(), p, hs)).err, ErrClosed)
		wantError(t, p.Send(wire.NewMsgPing(1)), ErrClosed)
	})
}
