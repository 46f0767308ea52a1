package peer

import (
	"context"
	"fmt"
	"slices"

	"dcrspv/spv/chain"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/wire"
)

// Headers asks for the headers after the first block of locator that is on the
// remote's best chain, up to stop if that is not zero: at most 2000. An empty
// answer means that the remote knows nothing better, or is still syncing
// itself. The locator has 1 to 500 hashes, newest first, and ends in genesis.
//
// The first header is known to continue a block of the locator, and the heights
// rise by one. Headers that continue nothing in the locator are taken for an
// announcement and go to the Handler: a remote that answers so stalls. That
// each header links to the one before, and is valid, is left to
// chain.Rules.Check, which needs all the hashes anyway.
//
// One call at a time: another one gets ErrBusy. After SendHeaders it is
// ErrAfterSendHeaders. The other errors are ErrStalled, ErrProtocol, ErrClosed,
// ErrRequest and that of ctx.
func (p *Peer) Headers(ctx context.Context, locator []chainhash.Hash, stop chainhash.Hash) ([]chain.Header, error) {
	msg, err := getHeaders(p.info.PVer, locator, stop)
	if err != nil {
		return nil, err
	}
	r := newRequest(kindHeaders, []chainhash.Hash{{}}, 1)
	r.locator = locator
	if err := p.waiting.add(r); err != nil {
		return nil, err
	}
	defer p.waiting.drop(r)
	if err := p.ask(ctx, r, msg); err != nil {
		return nil, err
	}
	rep, err := p.await(ctx, r)
	if err != nil {
		return nil, err
	}
	headers := rep.msg.([]chain.Header)
	for i := 1; i < len(headers); i++ {
		if headers[i].Height() != headers[i-1].Height()+1 {
			return nil, protocolError("header %d follows header %d", headers[i].Height(), headers[i-1].Height())
		}
	}
	return headers, nil
}

// SendHeaders asks the remote to announce blocks by their headers from now on
// (sendheaders), and then for what comes after locator, so that nothing mined
// in between is missed. The answer and all later headers go to the Handler. A
// Headers call that is still waiting ends with ErrAfterSendHeaders, and so does
// a second SendHeaders, which sends nothing.
func (p *Peer) SendHeaders(locator []chainhash.Hash) error {
	msg, err := getHeaders(p.info.PVer, locator, chainhash.Hash{})
	if err != nil {
		return err
	}
	waiting, first := p.waiting.announce()
	if !first {
		return ErrAfterSendHeaders
	}
	if waiting != nil {
		p.deliver(waiting, reply{err: ErrAfterSendHeaders})
	}
	if err := p.Send(wire.NewMsgSendHeaders()); err != nil {
		return err
	}
	return p.Send(msg)
}

// RequestHeaders asks for the headers after locator. The answer goes to the
// Handler. Before SendHeaders it is ErrRequest.
func (p *Peer) RequestHeaders(locator []chainhash.Hash) error {
	msg, err := getHeaders(p.info.PVer, locator, chainhash.Hash{})
	if err != nil {
		return err
	}
	if !p.waiting.announced() {
		return fmt.Errorf("%w: RequestHeaders before SendHeaders", ErrRequest)
	}
	return p.Send(msg)
}

// getHeaders makes the message.
func getHeaders(pver uint32, locator []chainhash.Hash, stop chainhash.Hash) (*wire.MsgGetHeaders, error) {
	// dcrd bans for more than 500 hashes.
	if len(locator) == 0 || len(locator) > wire.MaxBlockLocatorsPerMsg {
		return nil, fmt.Errorf("%w: locator of %d hashes", ErrRequest, len(locator))
	}
	locator = slices.Clone(locator) // the writer may look at it after we returned
	msg := &wire.MsgGetHeaders{ProtocolVersion: pver, HashStop: stop}
	for i := range locator {
		msg.BlockLocatorHashes = append(msg.BlockLocatorHashes, &locator[i])
	}
	return msg, nil
}

// onHeaders gives a headers message to whoever it belongs to.
func (p *Peer) onHeaders(headers []chain.Header) error {
	r, late := p.waiting.takeHeaders(headers)
	switch {
	case r != nil:
		p.deliver(r, reply{key: headersKey, msg: headers})
	case late:
	default:
		if n := len(headers); n > 0 {
			if headers[0].PrevBlock() == p.announced {
				p.allowance.continued()
			}
			p.announced = headers[n-1].Hash()
		}
		return p.hand(func(h Handler) { h.Headers(headers) })
	}
	return nil
}
