package peer

import (
	"bytes"
	"errors"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/chaincfg/v3"
	"github.com/decred/dcrd/gcs/v4"
	"github.com/decred/dcrd/gcs/v4/blockcf2"
	"github.com/decred/dcrd/wire"
)

// longest is the longest payload of each command that is decoded, in bytes, at
// protocol version 11 and on simnet.
var longest = map[string]uint32{
	wire.CmdVersion:      358,
	wire.CmdVerAck:       0,
	wire.CmdPing:         8,
	wire.CmdPong:         8,
	wire.CmdGetInitState: 1057,
	wire.CmdGetHeaders:   16_039,
	wire.CmdHeaders:      3 + 2000*181,
	wire.CmdCFiltersV2:   26_321_001, // 100 filters of 256 KiB
	wire.CmdCFilterV2:    263_210,
	wire.CmdBlock:        1_310_720,
	wire.CmdTx:           1_000_000,
	wire.CmdNotFound:     3 + 50_000*36,
	wire.CmdInv:          3 + 50_000*36,
	wire.CmdGetData:      3 + 50_000*36,
	wire.CmdAddr:         3 + 1000*30,
	wire.CmdAddrV2:       0, // of version 12
}

// ignored are the other commands there are or were, and one of the future: they
// are skipped unread.
var ignored = []string{
	"getaddr", "getblocks", "mempool", "sendheaders", "feefilter", "miningstate", "getminings",
	"initstate", "getcfilter", "getcfheaders", "getcftypes", "cfilter", "cfheaders", "cftypes",
	"getcfilterv2", "getcfsv2", "reject", "mixpairreq", "mixkeyxchg", "mixcphrtxt", "mixslotres",
	"mixdcnet", "mixconfirm", "mixfactpoly", "mixsecrets", "future", "",
}

// tooLong tells whether the head of a message alone ends the connection because
// of its length. All answers are welcome, but nobody has a use for what could be passed
// on; that many items may be a flood.
func tooLong(t *testing.T, raw []byte) (refused bool) {
	t.Helper()
	running(t, new(log), func(t *testing.T, p *Peer, r *remote, end <-chan answer[any]) {
		p.expectAll()
		p.allowance.expected[classMix], p.allowance.expected[classInitState] = 0, 0
		r.out <- raw
		synctest.Wait()
		select {
		case got := <-end:
			if errors.Is(got.err, ErrFlood) {
				return
			}
			refused = true
			wantError(t, got.err, ErrProtocol)
		default:
			p.Close(nil)
			<-end
		}
	})
	return refused
}

// A length beyond what the command can have is refused before a byte of the
// payload has come; the longest one is not.
// Rule 21.
func TestLengthIsBoundedByCommand(t *testing.T) {
	for command, limit := range longest {
		t.Run(command, func(t *testing.T) {
			if !tooLong(t, claim(command, limit+1)) {
				t.Errorf("%d bytes are waited for", limit+1)
			}
			if limit > 0 && tooLong(t, claim(command, limit)) {
				t.Errorf("%d bytes are refused", limit)
			}
		})
	}
	for _, command := range ignored {
		t.Run("ignored "+command, func(t *testing.T) {
			if emptyMessage(command) != nil {
				t.Error("it is decoded")
			}
			if !tooLong(t, claim(command, wire.MaxMessagePayload+1)) || tooLong(t, claim(command, wire.MaxMessagePayload)) {
				t.Errorf("the limit is not %d", wire.MaxMessagePayload)
			}
		})
	}
}

// Blocks and transactions are as long as the network allows, filters as long as
// a block can make them.
// Rule 21.
func TestLengthIsBoundedByNetwork(t *testing.T) {
	for _, c := range []struct {
		params *chaincfg.Params
		msg    wire.Message
		want   uint32
	}{
		{chaincfg.MainNetParams(), new(wire.MsgBlock), 393_216},
		{chaincfg.MainNetParams(), new(wire.MsgTx), 393_216},
		{chaincfg.MainNetParams(), new(wire.MsgCFilterV2), 393_216/4 + 1066},
		{chaincfg.MainNetParams(), new(wire.MsgCFiltersV2), 100*(393_216/4+1066) + 1},
		{chaincfg.TestNet3Params(), new(wire.MsgBlock), 1_310_720},
		{chaincfg.TestNet3Params(), new(wire.MsgTx), 1_000_000},
		{chaincfg.TestNet3Params(), new(wire.MsgCFilterV2), 262_144 + 1066},
		{chaincfg.TestNet3Params(), new(wire.MsgCFiltersV2), 26_321_001},
	} {
		p := Peer{cfg: &Config{Params: c.params}}
		p.pver.Store(wire.BatchedCFiltersV2Version)
		if got := p.maxLength(c.msg); got != c.want {
			t.Errorf("%s, %s: %d bytes, want %d", c.params.Name, c.msg.Command(), got, c.want)
		}
	}
}

// A block that is made of nothing but different scripts has the longest filter.
func TestLongestFilterIsRead(t *testing.T) {
	for _, params := range []*chaincfg.Params{chaincfg.MainNetParams(), chaincfg.TestNet3Params()} {
		size := slices.Max(params.MaximumBlockSizes)
		var scripts [][]byte
		for used := 0; used < size; {
			var script []byte
			for n := len(scripts); len(script) == 0 || n > 0; n >>= 8 {
				script = append(script, byte(n))
			}
			scripts = append(scripts, script)
			used += 8 + 2 + 1 + len(script)
		}
		f, err := gcs.NewFilterV2(blockcf2.B, blockcf2.M, [gcs.KeySize]byte{}, scripts)
		if err != nil {
			t.Fatal(err)
		}
		p := Peer{cfg: &Config{Params: params}}
		p.pver.Store(wire.BatchedCFiltersV2Version)
		longest := int(p.maxLength(new(wire.MsgCFilterV2))) - 1066
		if n := len(f.Bytes()); n > longest || n < longest/2 {
			t.Errorf("%s: filter of %d scripts has %d bytes, read are %d", params.Name, len(scripts), n, longest)
		}
	}
}

func TestIgnoredCommandsAreSkipped(t *testing.T) {
	conversation(t, remoteVersion(), func(t *testing.T, p *Peer, r *remote, l *log) {
		for i, command := range ignored {
			r.out <- rawMessage(command, bytes.Repeat([]byte{0xee}, 5000*i))
		}
		r.send(wire.NewMsgPing(1))
		expect[*wire.MsgPong](r)
		if len(l.headers)+len(l.inv)+len(l.getData)+len(l.addrs)+len(l.txs)+len(l.missing) != 0 {
			t.Errorf("something reached the handler: %+v", l)
		}
	})
}

// allocated returns how many bytes f allocates, in all goroutines.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// A remote gets no more memory than twice what it has sent, and half a MiB.
// Rules 20 and 21.
func TestMemoryFollowsWhatArrives(t *testing.T) {
	for name, c := range map[string]struct {
		head  []byte
		sends int
		limit uint64
	}{
		"all of it only promised": {claim(wire.CmdCFiltersV2, longest[wire.CmdCFiltersV2]), 0, 1 << 20},
		"a part":                  {claim(wire.CmdCFiltersV2, longest[wire.CmdCFiltersV2]), 3 << 20, 13 << 20},
		"of no use":               {claim("future", 4<<20), 4<<20 - 1, 1 << 20},
		"not asked for":           {claim(wire.CmdBlock, 1<<20), 1<<20 - 1, 1 << 19},
	} {
		t.Run(name, func(t *testing.T) {
			conversation(t, remoteVersion(), func(t *testing.T, p *Peer, r *remote, _ *log) {
				p.expectAll()
				p.allowance.expected[classBlock] = 0
				body := make([]byte, c.sends)
				before := p.Stats().BytesIn
				took := allocated(func() {
					r.out <- c.head
					r.out <- body
					synctest.Wait()
				})
				if n := p.Stats().BytesIn - before; n != int64(len(c.head)+len(body)) {
					t.Fatalf("%d bytes were read", n)
				}
				if took > c.limit {
					t.Errorf("%d bytes for %d sent", took, c.sends)
				}
			})
		})
	}
}

// Payloads are whole however large they are.
func TestLargeAnswers(t *testing.T) {
	for _, size := range []int{firstPart/100 - 50, firstPart / 100, firstPart / 50, firstPart / 20} {
		conversation(t, remoteVersion(), func(t *testing.T, p *Peer, r *remote, _ *log) {
			hs := blockHashes(1, 100)
			msg := batchMsg(hs)
			for i := range msg.CFilters {
				msg.CFilters[i].Data = bytes.Repeat(chainhash.HashB([]byte{byte(i)}), size/32)
			}
			reply := askFilters(t.Context(), p, hs)
			expect[*wire.MsgGetCFsV2](r)
			r.send(msg)
			got := <-reply
			wantError(t, got.err, nil)
			for i, f := range got.v {
				if !bytes.Equal(f, msg.CFilters[i].Data) {
					t.Fatalf("filter %d of %d bytes differs", i, size)
				}
			}
		})
	}
}
