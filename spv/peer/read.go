package peer

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"time"

	"dcrspv/spv/chain"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/wire"
)

// Layout of a message header: network magic, command, payload length, checksum.
const (
	commandAt  = 4
	lengthAt   = commandAt + wire.CommandSize
	checksumAt = lengthAt + 4
)

// entrySize is the size of one entry of a headers message: the header and a
// transaction count that is always zero.
const entrySize = chain.HeaderSize + 1

// maxHeadersPayload is the size of a headers message with 2000 entries.
var maxHeadersPayload = (*wire.MsgHeaders)(nil).MaxPayloadLength(wire.ProtocolVersion)

// read returns the next message: []chain.Header for a headers message, nil for
// a command that this version of the protocol does not know, else a
// wire.Message. An error is the end of the connection and has its kind.
//
// Headers have their own decoder because a whole chain passes through it: the
// wire package takes each header apart, only for it to be put together again
// for its hash.
func (p *Peer) read() (any, error) {
	head, err := p.in.Peek(wire.MessageHeaderSize)
	if err != nil {
		return nil, readError(err)
	}
	length := binary.LittleEndian.Uint32(head[lengthAt:])
	var msg any
	if wire.CurrencyNet(binary.LittleEndian.Uint32(head)) == p.cfg.Params.Net &&
		string(bytes.TrimRight(head[commandAt:lengthAt], "\x00")) == wire.CmdHeaders {
		msg, err = p.readHeaders(length)
	} else {
		_, msg, _, err = wire.ReadMessageN(p.in, p.pver.Load(), p.cfg.Params.Net)
	}
	// wire stops before the payload of an unknown command, having checked
	// its length against the 32 MiB limit. Nodes newer than us are no
	// enemies, so it is skipped, without being held in memory.
	if errors.Is(err, wire.ErrUnknownCmd) {
		msg = nil
		_, err = p.in.Discard(int(length))
	}
	if err != nil {
		return nil, readError(err)
	}
	p.count.lastMessage.Store(time.Now().UnixNano())
	return msg, nil
}

// readHeaders reads a headers message whose payload has this length.
func (p *Peer) readHeaders(length uint32) ([]chain.Header, error) {
	if length > maxHeadersPayload {
		return nil, protocolError("headers message of %d bytes", length)
	}
	buf := make([]byte, wire.MessageHeaderSize+int(length))
	if _, err := io.ReadFull(p.in, buf); err != nil {
		return nil, err
	}
	payload := buf[wire.MessageHeaderSize:]
	sum := chainhash.HashB(payload)
	if !bytes.Equal(sum[:4], buf[checksumAt:wire.MessageHeaderSize]) {
		return nil, protocolError("checksum of headers message is wrong")
	}
	return parseHeaders(payload)
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
