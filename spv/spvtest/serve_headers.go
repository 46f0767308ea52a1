package spvtest

import (
	"bytes"
	"io"

	"dcrspv/spv/chain"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/wire"
)

// rawMessage is a message whose payload is at hand.
type rawMessage struct {
	command string
	payload []byte
}

func (m *rawMessage) Command() string                     { return m.command }
func (m *rawMessage) MaxPayloadLength(pver uint32) uint32 { return wire.MaxMessagePayload }

func (m *rawMessage) BtcEncode(w io.Writer, pver uint32) error {
	_, err := w.Write(m.payload)
	return err
}

func (m *rawMessage) BtcDecode(r io.Reader, pver uint32) (err error) {
	m.payload, err = io.ReadAll(r)
	return err
}

// headersMessage makes a headers message out of serialized headers; wire would
// parse and serialize each of them again.
func headersMessage(headers []chain.Header) wire.Message {
	var buf bytes.Buffer
	buf.Grow(3 + len(headers)*(chain.HeaderSize+1))
	wire.WriteVarInt(&buf, 0, uint64(len(headers)))
	for i := range headers {
		buf.Write(headers[i][:])
		buf.WriteByte(0) // number of transactions
	}
	return &rawMessage{wire.CmdHeaders, buf.Bytes()}
}

// sendHeadersFor answers getheaders.
func (c *Client) sendHeadersFor(m *wire.MsgGetHeaders) {
	b := c.peer.Behaviour()
	v := c.peer.serving()
	if b.BadHeaders == HeadersEndless {
		v = c.peer.extend(v, m)
	}
	from, to := locate(v, m)
	if b.BadHeaders == HeadersUnlinked && from < to {
		from++ // the first header is left out: the rest hangs in the air
	}
	headers := v.span(from, to)
	if len(headers) > 0 {
		headers = b.spoilHeaders(v.Rules(), headers)
	}
	c.transmit(headersMessage(headers))
}

// locate returns the span of headers that answers getheaders: 2000 at most after
// the first block of the locator that is in view, or after the genesis block if
// there is none; not beyond the stop hash. An empty span has from > to. Without
// a locator it is the block with the stop hash alone (dcrd: LocateHeaders).
func locate(v view, m *wire.MsgGetHeaders) (from, to uint32) {
	stop, stopKnown := v.find(&m.HashStop)
	if len(m.BlockLocatorHashes) == 0 {
		if !stopKnown {
			return 1, 0
		}
		return stop, stop
	}
	from = 1 + v.lastKnown(m.BlockLocatorHashes)
	to = min(v.height, from+wire.MaxBlockHeadersPerMsg-1)
	if stopKnown && stop >= from {
		to = min(to, stop)
	}
	return from, to
}

// lastKnown is the height of the first block of a locator that is in view.
func (v view) lastKnown(locator []*chainhash.Hash) uint32 {
	for _, hash := range locator {
		if height, ok := v.find(hash); ok {
			return height
		}
	}
	return 0
}

// endlessBranch is the branch number of HeadersEndless. It is not taken from the
// ledger, so that what a test builds does not depend on when a client asks.
const endlessBranch = 1 << 31

// extend mines on behind the view if a client has come to its end.
func (p *Peer) extend(v view, m *wire.MsgGetHeaders) view {
	p.growing.Lock()
	defer p.growing.Unlock()
	p.mu.Lock()
	more := p.endless
	p.mu.Unlock()
	if more == nil {
		more = v.fork(v.height, endlessBranch)
	}
	if viewOf(more).lastKnown(m.BlockLocatorHashes) == more.Height() {
		more.Mine(wire.MaxBlockHeadersPerMsg)
	}
	p.mu.Lock()
	p.endless = more
	p.mu.Unlock()
	return viewOf(more)
}
