package peer

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"dcrspv/spv/chain"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/chaincfg/v3"
	"github.com/decred/dcrd/wire"
)

// payload returns what follows the message header.
func payload(t *testing.T, msg wire.Message) []byte {
	return encode(t, msg, simnet.Net)[wire.MessageHeaderSize:]
}

// Rule 21.
func TestUnknownCommandIsSkipped(t *testing.T) {
	conversation(t, remoteVersion(), func(t *testing.T, p *Peer, r *remote, _ *log) {
		r.out <- rawMessage("future", bytes.Repeat([]byte{1}, 100_000))
		time.Sleep(time.Second)
		r.out <- rawMessage("reject", nil)
		synctest.Wait()
		if s := p.Stats(); !s.LastMessage.Equal(time.Now()) {
			t.Errorf("last message %v ago: one that is skipped is one too", time.Since(s.LastMessage))
		}
		r.send(wire.NewMsgPing(1))
		expect[*wire.MsgPong](r)
	})
}

// endedNow returns why a connection is over, and fails the test if it goes on.
func endedNow(t *testing.T, ended <-chan answer[any]) error {
	t.Helper()
	synctest.Wait()
	select {
	case got := <-ended:
		return got.err
	default:
		t.Fatal("the connection goes on")
		return nil
	}
}

// Rule 21.
func TestMessagesThatEndTheConnection(t *testing.T) {
	ping := encode(t, wire.NewMsgPing(1), simnet.Net)
	badSum := bytes.Clone(ping)
	badSum[len(badSum)-1]++
	headers := encode(t, headersMsg(makeHeaders(genesis, 0, 1)), simnet.Net)
	badHeadersSum := bytes.Clone(headers)
	badHeadersSum[len(badHeadersSum)-2]++
	one := payload(t, headersMsg(makeHeaders(genesis, 0, 1)))
	withTx := bytes.Clone(one)
	withTx[len(withTx)-1] = 1
	// A number of headers whose size, 181 bytes each, is one byte modulo 2^64: the
	// byte is there.
	beyondCount := append(binary.LittleEndian.AppendUint64([]byte{0xff}, 0x3454dca410f8ed9d), 0)

	for name, c := range map[string]struct {
		raw  []byte
		want error
	}{
		"checksum":                 {badSum, ErrProtocol},
		"trailing byte":            {rawMessage("inv", append(payload(t, invMsg(1)), 0)), ErrProtocol},
		"short payload":            {rawMessage("ping", make([]byte, 7)), ErrProtocol},
		"cut off":                  {ping[:len(ping)-1], ErrClosed},
		"other network":            {encode(t, wire.NewMsgPing(1), chaincfg.MainNetParams().Net), ErrNetwork},
		"headers of other network": {encode(t, headersMsg(nil), chaincfg.MainNetParams().Net), ErrNetwork},
		"command not ASCII":        {rawMessage("p\x80ng", nil), ErrProtocol},
		"too long":                 {rawMessage("verack", make([]byte, 1)), ErrProtocol},
		"second version":           {encode(t, remoteVersion(), simnet.Net), ErrProtocol},
		"headers checksum":         {badHeadersSum, ErrProtocol},
		"headers empty":            {rawMessage(wire.CmdHeaders, nil), ErrProtocol},
		"headers trailing byte":    {rawMessage(wire.CmdHeaders, append(bytes.Clone(one), 0)), ErrProtocol},
		"headers short":            {rawMessage(wire.CmdHeaders, one[:len(one)-1]), ErrProtocol},
		"headers with transaction": {rawMessage(wire.CmdHeaders, withTx), ErrProtocol},
		"headers too many":         {rawMessage(wire.CmdHeaders, []byte{0xfd, 0xd1, 0x07}), ErrProtocol},
		"headers beyond count":     {rawMessage(wire.CmdHeaders, beyondCount), ErrProtocol},
	} {
		t.Run(name, func(t *testing.T) {
			running(t, new(log), func(t *testing.T, p *Peer, r *remote, ended <-chan answer[any]) {
				r.out <- c.raw
				if name == "cut off" {
					r.hangUp()
				}
				wantError(t, endedNow(t, ended), c.want)
			})
		})
	}
}

func TestParseHeadersIsWhatWasSent(t *testing.T) {
	for _, n := range []int{0, 1, 252, 253, 2000} {
		want := makeHeaders(chainhash.Hash{1}, 5, n)
		got, err := parseHeaders(payload(t, headersMsg(want)))
		if err != nil || len(got) != n {
			t.Fatalf("%d headers of %d, %v", len(got), n, err)
		}
		for i := range want {
			if got[i] != want[i] {
				t.Fatalf("header %d of %d differs", i, n)
			}
		}
	}
}

// parseHeaders takes exactly what the wire package takes.
func FuzzParseHeaders(f *testing.F) {
	for _, n := range []int{0, 1, 3} {
		var b bytes.Buffer
		headersMsg(makeHeaders(chainhash.Hash{1}, 5, n)).BtcEncode(&b, wire.ProtocolVersion)
		f.Add(b.Bytes())
		f.Add(append(b.Bytes(), 0))
	}
	var withTx bytes.Buffer
	headersMsg(makeHeaders(chainhash.Hash{1}, 5, 1)).BtcEncode(&withTx, wire.ProtocolVersion)
	withTx.Bytes()[withTx.Len()-1] = 1
	f.Add(withTx.Bytes())
	f.Add([]byte{0xfd, 1, 0})
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, payload []byte) {
		got, err := parseHeaders(payload)
		if err != nil && !errors.Is(err, ErrProtocol) {
			t.Fatalf("error without a kind: %v", err)
		}
		var msg wire.MsgHeaders
		r := bytes.NewReader(payload)
		wireErr := msg.BtcDecode(r, wire.ProtocolVersion)
		if wireErr == nil && r.Len() > 0 {
			wireErr = errors.New("trailing bytes")
		}
		if (err == nil) != (wireErr == nil) {
			t.Fatalf("we say %v, wire says %v", err, wireErr)
		}
		if err != nil {
			return
		}
		if len(got) != len(msg.Headers) {
			t.Fatalf("%d headers, wire finds %d", len(got), len(msg.Headers))
		}
		for i := range got {
			if got[i] != chain.HeaderFromWire(msg.Headers[i]) {
				t.Fatalf("header %d differs", i)
			}
		}
	})
}

func BenchmarkParseHeaders(b *testing.B) {
	var buf bytes.Buffer
	headersMsg(makeHeaders(chainhash.Hash{1}, 5, 2000)).BtcEncode(&buf, wire.ProtocolVersion)
	b.SetBytes(int64(buf.Len()))
	for b.Loop() {
		if _, err := parseHeaders(buf.Bytes()); err != nil {
			b.Fatal(err)
		}
	}
}

func TestHandlerGetsTheRest(t *testing.T) {
	conversation(t, remoteVersion(), func(t *testing.T, p *Peer, r *remote, l *log) {
		getData := wire.NewMsgGetData()
		getData.AddInvVect(wire.NewInvVect(wire.InvTypeTx, &chainhash.Hash{1}))
		r.send(invMsg(3), getData, wire.NewMsgInv(), wire.NewMsgGetData(), wire.NewMsgSendHeaders())
		if err := p.RequestAddrs(); err != nil {
			t.Fatal(err)
		}
		r.send(addrMsg(node("198.51.100.1", 0, wire.SFNodeNetwork)), wire.NewMsgNotFound())
		synctest.Wait()
		if l.empty != 0 {
			t.Errorf("%d calls with nothing in them", l.empty)
		}
		if len(l.inv) != 3 || len(l.getData) != 1 {
			t.Errorf("%d announcements, %d requests", len(l.inv), len(l.getData))
		}
	})
}
