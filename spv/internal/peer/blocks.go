package peer

import (
	"context"
	"fmt"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/wire"
)

const (
	// maxBlocks is the most blocks a call asks for. It is one getdata message
	// that adds nothing to the ban score of dcrd, which is
	// items*99/50000, rounded down.
	maxBlocks = 500

	// blockBuffer is how many blocks of a call are held while fn is busy;
	// after that nothing is read from the remote.
	blockBuffer = 4
)

// Blocks fetches up to 500 blocks, each one once, and calls fn with each block
// and its place in hashes, as they arrive. fn runs in the caller's goroutine;
// while it runs, few more blocks are read from the remote and none of that time
// counts against it, but fn must not wait for another answer of the same peer.
// An error of fn ends the call and is returned as it is. Several calls may be
// in flight at once, for different blocks.
//
// A block is known to have the header that was asked for. Its transactions are
// not checked.
//
// Errors are ErrNotFound (the remote lacks one of the blocks; others may have
// been delivered), ErrStalled, ErrBusy (one of the blocks is being asked for),
// ErrClosed, ErrRequest and that of ctx.
func (p *Peer) Blocks(ctx context.Context, hashes []chainhash.Hash, fn func(i int, b *wire.MsgBlock) error) error {
	// dcrd bans for an empty getdata.
	if len(hashes) == 0 || len(hashes) > maxBlocks {
		return fmt.Errorf("%w: %d blocks", ErrRequest, len(hashes))
	}
	index, err := indexOf(hashes)
	if err != nil {
		return err
	}
	r := newRequest(kindBlock, hashes, blockBuffer)
	if err := p.waiting.add(r); err != nil {
		return err
	}
	defer p.waiting.drop(r)
	msg := wire.NewMsgGetDataSizeHint(uint(len(hashes)))
	for i := range hashes {
		msg.InvList = append(msg.InvList, wire.NewInvVect(wire.InvTypeBlock, &hashes[i]))
	}
	if err := p.ask(ctx, r, msg); err != nil {
		return err
	}
	for range hashes {
		rep, err := p.await(ctx, r)
		if err != nil {
			return err
		}
		if err := fn(index[rep.key.hash], rep.msg.(*wire.MsgBlock)); err != nil {
			return err
		}
	}
	return nil
}

// blockNotFound ends the request for a block that the remote does not have, and
// tells whether it was asked for.
func (p *Peer) blockNotFound(hash chainhash.Hash) bool {
	k := key{kindBlock, hash}
	r, late := p.waiting.take(k)
	if r != nil {
		p.deliver(r, reply{key: k, err: fmt.Errorf("%w: block %v", ErrNotFound, hash)})
	}
	return r != nil || late
}
