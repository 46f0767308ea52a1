package peer

import (
	"bytes"
	"encoding/binary"
	"io"
	"slices"
	"time"

	"dcrspv/spv/chain"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/chaincfg/v3"
	"github.com/decred/dcrd/wire"
)

// Layout of a message header: network magic, command, payload length, checksum.
const (
	commandAt  = magicSize
	lengthAt   = commandAt + wire.CommandSize
	checksumAt = lengthAt + 4
)

// entrySize is the size of one entry of a headers message: the header and a
// transaction count that is always zero.
const entrySize = chain.HeaderSize + 1

// firstPart is how much memory is made for a payload before any of it has come, in
// bytes. An honest batch of filters, message of headers or block is usually smaller.
const firstPart = 512 << 10

// head is a message header, with the network checked already.
type head struct {
	command  string
	length   uint32
	checksum [4]byte
}

// read returns the next message: []chain.Header for a headers message, nil for
// one that nobody has a use for, else a wire.Message. An error is the
// end of the connection and has its kind.
func (p *Peer) read() (any, error) {
	h, err := p.readHead()
	if err != nil {
		return nil, err
	}
	return p.readBody(h)
}

// readHead reads a message header.
func (p *Peer) readHead() (head, error) {
	var raw [wire.MessageHeaderSize]byte
	if _, err := io.ReadFull(p.in, raw[:magicSize]); err != nil {
		return head{}, readError(err)
	}
	if binary.LittleEndian.Uint32(raw[:]) != uint32(p.cfg.Params.Net) {
		return head{}, foreignError([magicSize]byte(raw[:]))
	}
	if _, err := io.ReadFull(p.in, raw[magicSize:]); err != nil {
		return head{}, readError(err)
	}
	command := bytes.TrimRight(raw[commandAt:lengthAt], "\x00")
	if slices.ContainsFunc(command, func(c byte) bool { return c > 127 }) {
		return head{}, protocolError("command %q", command)
	}
	return head{
		command:  string(command),
		length:   binary.LittleEndian.Uint32(raw[lengthAt:]),
		checksum: [4]byte(raw[checksumAt:]),
	}, nil
}

// readBody reads the payload of a message and decodes it. A message that the remote
// has no reason to send ends the connection before any of it is read. A message that
// we do not use is skipped without being held in memory, and its checksum is ignored.
//
// Headers have their own decoder because a whole chain passes through it: the
// wire package takes each header apart, only for it to be put together again
// for its hash.
func (p *Peer) readBody(h head) (any, error) {
	msg := emptyMessage(h.command)
	if limit := p.maxLength(msg); h.length > limit {
		return nil, protocolError("%q message of %d bytes, more than %d", h.command, h.length, limit)
	}
	wanted, err := p.allowance.admit(h.command, int(h.length), time.Now())
	if err != nil {
		return nil, err
	}
	if !wanted {
		if _, err := p.in.Discard(int(h.length)); err != nil {
			return nil, readError(err)
		}
		p.count.skipped(msg)
		p.count.lastMessage.Store(time.Now().UnixNano())
		return nil, nil
	}

	if msg == nil {
		msg = passedMessage(h.command)
		if limit := p.maxLength(msg); h.length > limit {
			return nil, protocolError("%q message of %d bytes, more than %d", h.command, h.length, limit)
		}
	}
	if isAnswer(msg) {
		p.incoming.begin(p.conn.in.Load())
		defer p.incoming.end()
	}
	payload, err := p.payload.read(p.in, int(h.length))
	if err != nil {
		return nil, readError(err)
	}
	sum := chainhash.HashH(payload)
	if !bytes.Equal(sum[:4], h.checksum[:]) {
		return nil, protocolError("checksum of %s message is wrong", h.command)
	}
	p.count.lastMessage.Store(time.Now().UnixNano())
	if h.command == wire.CmdHeaders {
		return parseHeaders(payload)
	}
	r := bytes.NewBuffer(payload)
	if err := msg.BtcDecode(r, p.pver.Load()); err != nil {
		return nil, protocolError("decoding %s message: %v", h.command, err)
	}
	if r.Len() > 0 {
		return nil, protocolError("%d bytes after a %s message", r.Len(), h.command)
	}
	return msg, nil
}

// isAnswer reports whether a message may be the answer to a request.
func isAnswer(msg wire.Message) bool {
	switch msg.(type) {
	case *wire.MsgHeaders, *wire.MsgCFiltersV2, *wire.MsgCFilterV2, *wire.MsgBlock:
		return true
	}
	return false
}

// maxLength is the longest payload of a message in bytes; nil is a message of any kind.
func (p *Peer) maxLength(msg wire.Message) uint32 {
	if msg == nil {
		return wire.MaxMessagePayload
	}
	longest := msg.MaxPayloadLength(p.pver.Load())
	params := p.cfg.Params
	switch msg.(type) {
	case *wire.MsgBlock:
		longest = min(longest, uint32(slices.Max(params.MaximumBlockSizes)))
	case *wire.MsgTx:
		longest = min(longest, uint32(params.MaxTxSize))
	case *wire.MsgCFilterV2:
		longest -= filterSlack(params)
	case *wire.MsgCFiltersV2:
		longest -= wire.MaxCFiltersV2PerBatch * filterSlack(params)
	}
	return longest
}

// filterSlack is how many bytes the longest filter of a network is shorter than
// the wire package allows. Each script in a filter takes at least 12 bytes in
// the block, as an output without any (8 for the amount, 2 for the version) or
// an input, and 21.5 bits in the filter: 19 of the remainder, one that ends the
// quotient, and 1.5 for quotients in all (package gcs: B = 19, M = 784931). That
// is less than a quarter.
func filterSlack(params *chaincfg.Params) uint32 {
	const most = wire.MaxCFilterDataSize
	return most - min(most, uint32(slices.Max(params.MaximumBlockSizes))/4)
}

// emptyMessage returns the message to decode a payload into, or nil for a
// command that a light client does not use, known or not.
func emptyMessage(command string) wire.Message {
	switch command {
	case wire.CmdVersion:
		return new(wire.MsgVersion)
	case wire.CmdVerAck:
		return new(wire.MsgVerAck)
	case wire.CmdPing:
		return new(wire.MsgPing)
	case wire.CmdPong:
		return new(wire.MsgPong)
	case wire.CmdGetInitState:
		return new(wire.MsgGetInitState)
	case wire.CmdGetHeaders:
		return new(wire.MsgGetHeaders)
	case wire.CmdHeaders:
		return new(wire.MsgHeaders)
	case wire.CmdCFiltersV2:
		return new(wire.MsgCFiltersV2)
	case wire.CmdCFilterV2:
		return new(wire.MsgCFilterV2)
	case wire.CmdBlock:
		return new(wire.MsgBlock)
	case wire.CmdTx:
		return new(wire.MsgTx)
	case wire.CmdNotFound:
		return new(wire.MsgNotFound)
	case wire.CmdInv:
		return new(wire.MsgInv)
	case wire.CmdGetData:
		return new(wire.MsgGetData)
	case wire.CmdAddr:
		return new(wire.MsgAddr)
	case wire.CmdAddrV2:
		return new(wire.MsgAddrV2)
	}
	return nil
}

// payloadBuffer is memory for one message after the other.
type payloadBuffer struct {
	buf []byte
}

// read reads n bytes into memory that the next call uses again: decoding copies all it
// keeps. It takes no more than twice what has arrived: a batch of filters may have 26
// MB, which is too much to reserve for a remote that only says so.
func (p *payloadBuffer) read(in io.Reader, n int) ([]byte, error) {
	if cap(p.buf) < n {
		p.buf = make([]byte, min(n, firstPart))
	}
	payload := p.buf[:min(n, cap(p.buf))]
	for have := 0; ; {
		if _, err := io.ReadFull(in, payload[have:]); err != nil {
			return nil, err
		}
		have = len(payload)
		if have == n {
			return payload, nil
		}
		longer := make([]byte, min(n, 2*have))
		copy(longer, payload)
		payload = longer
	}
}

// parseHeaders decodes the payload of a headers message: the number of
// headers, then each with a transaction count of zero.
func parseHeaders(payload []byte) ([]chain.Header, error) {
	r := bytes.NewReader(payload)
	count, err := wire.ReadVarInt(r, wire.ProtocolVersion)
	if err != nil {
		return nil, protocolError("headers message without a count: %v", err)
	}
	if count > wire.MaxBlockHeadersPerMsg {
		return nil, protocolError("%d headers in a message", count)
	}
	entries := payload[len(payload)-r.Len():]
	if len(entries) != int(count)*entrySize {
		return nil, protocolError("%d bytes for %d headers", len(entries), count)
	}
	headers := make([]chain.Header, count)
	for i := range headers {
		entry := entries[i*entrySize : (i+1)*entrySize]
		if entry[chain.HeaderSize] != 0 {
			return nil, protocolError("header with transactions")
		}
		copy(headers[i][:], entry)
	}
	return headers, nil
}
