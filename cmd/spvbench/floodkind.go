package main

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"time"

	"dcrspv/spv/spvtest"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/wire"
)

// floodKind is what a flooder sends over and over, beside all that an honest peer
// does.
type floodKind struct {
	name     string
	what     string
	messages func(f *flooder) []wire.Message
	second   int  // messages a second; 0 is as many as there is room for
	most     int  // it is silent after so many; 0 is never
	deaf     bool // it reads nothing meanwhile
	allowed  bool // it stays within what a peer may send, so nothing ends it
}

// maxItems is how many items an inv, getdata or notfound may have.
const maxItems = wire.MaxInvPerMsg

// floodKinds are all there are.
var floodKinds = []floodKind{
	{name: "getdata", what: "getdata of 50,000 transactions", messages: always(floodGetData)},
	{name: "inv", what: "inv of 1,000 transactions", messages: always(floodInv(wire.InvTypeTx, 1000))},
	{name: "invlong", what: "inv of 50,000 transactions", messages: always(floodInv(wire.InvTypeTx, maxItems))},
	{name: "invblock", what: "inv of a block", messages: always(floodInv(wire.InvTypeBlock, 1))},
	{name: "headers", what: "2,000 known headers a message", messages: floodHeaders(wire.MaxBlockHeadersPerMsg)},
	{name: "header", what: "one known header a message", messages: floodHeaders(1)},
	{name: "header1000", what: "one known header a message, 1,000 a second", messages: floodHeaders(1), second: 1000},
	{name: "header300", what: "one known header a message, 300 a second", messages: floodHeaders(1), second: 300},
	{name: "addr", what: "1,000 addresses a message", messages: always(floodAddr)},
	{name: "tx", what: "transactions that nobody asked for", messages: floodTxs},
	{name: "ping", what: "ping", messages: always(floodPing)},
	{name: "notfound", what: "notfound of 50,000 transactions", messages: always(floodNotFound)},
	{name: "unknown", what: "unknown commands, empty", messages: always(floodUnknown(0))},
	{name: "unknownlong", what: "unknown commands of 1 MiB", messages: always(floodUnknown(1 << 20))},
	{name: "deaf", what: "63 getdata of 50,000 transactions, reading nothing", messages: always(floodGetData), most: 63, deaf: true},
	{name: "deaflong", what: "63 unknown commands of 32 MiB, reading nothing", messages: always(floodUnknown(wire.MaxMessagePayload)), most: 63, deaf: true},
	{name: "relay", what: "500 transactions of strangers a second", messages: relayTo(func(*flooder) []byte { return spvtest.Script(1) }), second: 10, allowed: true},
	{name: "payments", what: "500 unconfirmed payments to the wallet a second", messages: relayTo(func(f *flooder) []byte { return f.pays }), second: 10, allowed: true},
}

// chooseFloods returns the kinds that a list names, all for an empty one.
func chooseFloods(list string) (kinds []floodKind, err error) {
	if list == "" {
		return floodKinds, nil
	}
	for name := range strings.SplitSeq(list, ",") {
		k := findFlood(name)
		if k == nil {
			return nil, fmt.Errorf("--flood %s: there is no such kind", name)
		}
		kinds = append(kinds, *k)
	}
	return kinds, nil
}

// findFlood is nil if there is no such kind.
func findFlood(name string) *floodKind {
	i := slices.IndexFunc(floodKinds, func(k floodKind) bool { return k.name == name })
	if i < 0 {
		return nil
	}
	return &floodKinds[i]
}

// always is for a kind with one message. It is made when it is needed: the program
// that is measured is in the same binary.
func always(msg func() wire.Message) func(*flooder) []wire.Message {
	return func(*flooder) []wire.Message { return []wire.Message{msg()} }
}

func floodGetData() wire.Message {
	return &wire.MsgGetData{InvList: manyItems(wire.InvTypeTx, maxItems)}
}

func floodNotFound() wire.Message {
	return &wire.MsgNotFound{InvList: manyItems(wire.InvTypeTx, maxItems)}
}

func floodInv(kind wire.InvType, n int) func() wire.Message {
	return func() wire.Message { return &wire.MsgInv{InvList: manyItems(kind, n)} }
}

func floodPing() wire.Message { return wire.NewMsgPing(1) }

func floodUnknown(size int) func() wire.Message {
	return func() wire.Message { return unknownMsg{size} }
}

func floodHeaders(n uint32) func(*flooder) []wire.Message {
	return func(f *flooder) []wire.Message {
		to := f.chain.Height()
		return []wire.Message{f.chain.Headers(to-min(n, to)+1, to)}
	}
}

func floodAddr() wire.Message {
	msg := wire.NewMsgAddr()
	for i := range wire.MaxAddrPerMsg {
		msg.AddAddress(wire.NewNetAddressTimestamp(time.Now(), wire.SFNodeNetwork, net.IPv4(198, 51, 100, 7), uint16(i+1)))
	}
	return msg
}

// floodTxs are transactions that pay nobody.
func floodTxs(f *flooder) (msgs []wire.Message) {
	for n := range uint32(1000) {
		msgs = append(msgs, f.tx(n, spvtest.Script(1)))
	}
	return msgs
}

// relayTo announces transactions that can be had, 50 a message: all flooders
// together have more than are remembered, so that each is new whenever it comes.
func relayTo(script func(*flooder) []byte) func(*flooder) []wire.Message {
	return func(f *flooder) (msgs []wire.Message) {
		for range 100 {
			inv := wire.NewMsgInv()
			for range 50 {
				tx := f.tx(uint32(len(msgs)*50+len(inv.InvList)), script(f))
				f.peer.AnnounceTx(tx) // to nobody yet
				hash := tx.TxHash()
				inv.AddInvVect(wire.NewInvVect(wire.InvTypeTx, &hash))
			}
			msgs = append(msgs, inv)
		}
		return msgs
	}
}

// tx is a transaction of this flooder that spends what does not exist.
func (f *flooder) tx(n uint32, script []byte) *wire.MsgTx {
	hash := numbered(f.listener.Addr().String(), n)
	tx := wire.NewMsgTx()
	tx.AddTxIn(wire.NewTxIn(wire.NewOutPoint(&hash, 0, wire.TxTreeRegular), 3e8, make([]byte, 107)))
	tx.AddTxOut(wire.NewTxOut(1e8, script))
	tx.AddTxOut(wire.NewTxOut(1e8, spvtest.Script(2)))
	return tx
}

// manyItems is n items that nobody has heard of.
func manyItems(kind wire.InvType, n int) []*wire.InvVect {
	items := make([]*wire.InvVect, n)
	for i := range items {
		items[i] = &wire.InvVect{Type: kind, Hash: numbered("item", uint32(i))}
	}
	return items
}

func numbered(what string, n uint32) chainhash.Hash {
	return chainhash.HashH(binary.LittleEndian.AppendUint32([]byte(what), n))
}

// unknownMsg is a message of a command that nobody knows.
type unknownMsg struct{ length int }

func (unknownMsg) Command() string                   { return "future" }
func (unknownMsg) MaxPayloadLength(uint32) uint32    { return wire.MaxMessagePayload }
func (unknownMsg) BtcDecode(io.Reader, uint32) error { return nil }
func (m unknownMsg) BtcEncode(w io.Writer, _ uint32) error {
	_, err := w.Write(make([]byte, m.length))
	return err
}
