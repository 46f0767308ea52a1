package peer

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"net"
	"reflect"
	"testing"
	"unicode"

	"dcrspv/spv/chain"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/wire"
	"github.com/decred/slog"
)

// reading is a Peer that reads stream and nothing else: no goroutine, and what
// it sends goes nowhere.
func reading(stream []byte) *Peer {
	ours, _ := net.Pipe()
	p := &Peer{
		cfg:     testConfig(),
		log:     slog.Disabled,
		conn:    newMeter(ours),
		in:      bufio.NewReader(bytes.NewReader(stream)),
		queue:   make(chan wire.Message, maxQueued), // nobody empties it
		end:     ending{done: make(chan struct{})},
		waiting: newPending(),
		txs:     newTxSet(),
	}
	p.callbacks = callbacks{handler: new(log), time: &p.handlerTime}
	p.addrs.Store(maxAddrs)
	p.expectAll()
	p.pver.Store(wire.BatchedCFiltersV2Version)
	return p
}

// expectAll makes a great many answers of each kind welcome.
func (p *Peer) expectAll() {
	for c := range p.allowance.expected {
		p.allowance.expected[c] = 1_000_000
	}
}

// FuzzRead feeds a stream of bytes to the reader. Whatever it is, the reader
// ends with an error of this package that is fit to be shown, and takes from it
// exactly the messages that the wire package does.
// Rule 21.
func FuzzRead(f *testing.F) {
	seeds := []wire.Message{
		wire.NewMsgPing(1), wire.NewMsgPong(2), remoteVersion(), wire.NewMsgVerAck(), wire.NewMsgGetInitState(),
		invMsg(2), batchMsg(blockHashes(1, 2)), filterMsg(chainhash.Hash{1}), block(1), wire.NewMsgTx(),
		headersMsg(makeHeaders(genesis, 0, 2)), headersMsg(nil), wire.NewMsgSendHeaders(),
		addrMsg(node("198.51.100.1", 9108, wire.SFNodeNetwork)),
		&wire.MsgNotFound{InvList: invMsg(1).InvList}, &wire.MsgGetData{InvList: invMsg(1).InvList},
	}
	seeds = append(seeds, passedMessages()...)
	var all bytes.Buffer
	for _, msg := range seeds {
		var b bytes.Buffer
		if err := wire.WriteMessage(&b, msg, wire.BatchedCFiltersV2Version, simnet.Net); err != nil {
			f.Fatal(err)
		}
		f.Add(b.Bytes())
		all.Write(b.Bytes())
	}
	f.Add(all.Bytes())
	f.Add(all.Bytes()[:all.Len()-1])
	f.Add(rawMessage("future", []byte{1, 2, 3}))
	f.Add(rawMessage("p\xffng", nil))
	f.Add(rawMessage("version", []byte("\x1b]0;title\x07")))
	f.Add(claim(wire.CmdCFiltersV2, 26_321_001))
	f.Fuzz(func(t *testing.T, stream []byte) {
		p := reading(stream)
		model := bytes.NewReader(stream)
		for {
			skip := ignoredNext(stream[len(stream)-model.Len():])
			msg, err := p.read()
			if errors.Is(err, ErrFlood) {
				checkReadError(t, err)
				return
			}
			if skip >= 0 {
				model.Seek(int64(skip), 1)
			} else {
				compareWithWire(t, model, msg, err)
			}
			if err == nil {
				err = p.dispatch(msg)
			}
			if err != nil {
				checkReadError(t, err)
				return
			}
		}
	})
}

// ignoredNext returns the size of the next message if it is one that is
// skipped, else -1.
func ignoredNext(stream []byte) int {
	if len(stream) < wire.MessageHeaderSize {
		return -1
	}
	command := bytes.TrimRight(stream[commandAt:lengthAt], "\x00")
	length := binary.LittleEndian.Uint32(stream[lengthAt:])
	tooLong := classOf(string(command)) == classMix && length > MaxMixMessage
	known := emptyMessage(string(command)) != nil || Passes(string(command)) && !tooLong
	if known || length > wire.MaxMessagePayload {
		return -1
	}
	return min(wire.MessageHeaderSize+int(length), len(stream))
}

// compareWithWire reads a message from model and compares it with what read has
// returned.
func compareWithWire(t *testing.T, model *bytes.Reader, msg any, err error) {
	t.Helper()
	want, _, wantErr := wire.ReadMessage(model, wire.BatchedCFiltersV2Version, simnet.Net)
	if (err == nil) != (wantErr == nil) {
		t.Fatalf("we say %v, wire says %v", err, wantErr)
	}
	if err != nil {
		return
	}
	if headers, ok := msg.([]chain.Header); ok {
		msg = headersMsg(headers)
		if len(headers) == 0 {
			return
		}
	}
	if !reflect.DeepEqual(msg, want) {
		t.Fatalf("we read %+v, wire reads %+v", msg, want)
	}
}

// checkReadError checks that an error has a kind and is safe to show.
func checkReadError(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, ErrProtocol) && !errors.Is(err, ErrClosed) && !errors.Is(err, ErrFlood) {
		t.Fatalf("error without a kind: %v", err)
	}
	for _, c := range err.Error() {
		if c == unicode.ReplacementChar || !unicode.IsPrint(c) {
			t.Fatalf("error with %U: %q", c, err)
		}
	}
}
