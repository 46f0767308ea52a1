package peer

import (
	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/wire"
)

// A class is a kind of message that has an allowance of its own.
type class uint8

const (
	classOther      class = iota // not used by a light client, known or not
	classHello                   // version, verack, getinitstate
	classPing                    // ping
	classPong                    // pong
	classGetHeaders              // getheaders
	classHeaders                 // headers
	classBatch                   // cfiltersv2
	classFilter                  // cfilterv2
	classBlock                   // block
	classTx                      // tx
	classNotFound                // notfound
	classInv                     // inv
	classGetData                 // getdata
	classAddr                    // addr, addrv2
	classMix                     // mixing messages that were asked for
	classInitState               // initstate that was asked for
	numClasses
)

// classOf returns the class of a command.
func classOf(command string) class {
	switch command {
	case wire.CmdVersion, wire.CmdVerAck, wire.CmdGetInitState:
		return classHello
	case wire.CmdPing:
		return classPing
	case wire.CmdPong:
		return classPong
	case wire.CmdGetHeaders:
		return classGetHeaders
	case wire.CmdHeaders:
		return classHeaders
	case wire.CmdCFiltersV2:
		return classBatch
	case wire.CmdCFilterV2:
		return classFilter
	case wire.CmdBlock:
		return classBlock
	case wire.CmdTx:
		return classTx
	case wire.CmdNotFound:
		return classNotFound
	case wire.CmdInv:
		return classInv
	case wire.CmdGetData:
		return classGetData
	case wire.CmdAddr, wire.CmdAddrV2:
		return classAddr
	case wire.CmdInitState:
		return classInitState
	}
	if passedMessage(command) != nil {
		return classMix
	}
	return classOther
}

// A limit is what a node may send of a class without having been asked.
type limit struct {
	messages rate // of any size
	sudden   rate // the same in a short time; zero is no limit
	items    rate // entries in them, an empty message being one; zero is no limit
	entry    int  // bytes of an entry

	// relayed: nodes pass such messages on. A node that sends too many may be
	// flooded itself, and has not broken the protocol.
	relayed bool
}

// limits is the table. Answers are not in it: each request makes its own
// answer welcome, once, and so does an announcement of ours the getdata for it.
// An answer that comes unasked is skipped unread; its limit here only says how often.
// The numbers are far above what dcrd 2.1 sends (its server.go,
// internal/netsync/manager.go and peer/v3), so that a node of another make or
// under attack has room, and low enough that all of it at once takes less than
// half a second of one core.
var limits = [numClasses]limit{
	// sendheaders and getaddr come once (OnVerAck, OnVersion). dcrd sends the
	// mix messages, mempool, initstate and the like only on request; those that
	// nobody asked for count here. The rest is for messages of future versions.
	classOther: {messages: rate{burst: 200, perMinute: 600}},

	// Each comes once; a second version ends the connection anyway.
	classHello: {messages: rate{burst: 10, perMinute: 6}},

	// dcrd pings every 107 s (pingInterval), and when its owner says so (the
	// RPC ping).
	classPing: {messages: rate{burst: 20, perMinute: 60}},
	classPong: {messages: rate{burst: 10, perMinute: 6}},

	// Once after the handshake (OnPeerConnected, fetchNextHeaders), and again
	// for each headers message of ours that is not empty: there is none.
	classGetHeaders: {messages: rate{burst: 50, perMinute: 60}},

	// Each block that dcrd connects is announced with one header, those of a
	// reorg all at once (NTBlockAccepted). A node that was suspended catches up
	// in the same way: two weeks on mainnet are 4,032 messages. It connects each
	// block before it announces it, which takes milliseconds. Otherwise a block
	// comes every 300 s, on simnet every second. A new connection needs less room:
	// the answer to our getheaders has all blocks of the time before it. What is
	// left are the messages that pile up while the line stands still.
	classHeaders: {
		messages: rate{burst: 5000, perMinute: 1200, first: 500},
		sudden:   rate{burst: 1200, perMinute: 18_000},
		items:    rate{burst: 12_000, perMinute: 1200},
		entry:    entrySize,
		relayed:  true,
	},

	// Transactions and mix messages come in batches of at most 1000 every 100 to
	// 500 ms (queueHandler), blocks one by one until sendheaders. A block of
	// mainnet holds some 1,800 of the smallest transactions, so that full blocks
	// are 6 a second, and 12,000 are six of them. A mix of a hundred wallets is
	// a thousand messages.
	classInv: {
		messages: rate{burst: 5000, perMinute: 1200, first: 500},
		sudden:   rate{burst: 1200, perMinute: 18_000},
		items:    rate{burst: 12_000, perMinute: 30_000},
		entry:    invSize,
		relayed:  true,
	},

	// dcrd tells its own address only to nodes that it has dialed (OnVersion).
	classAddr: {messages: rate{burst: 10, perMinute: 6}},

	// dcrd requests each transaction that we announce once (OnInv). It may remember
	// more of our announcements than we do: one that we have forgotten because many
	// others followed it, or the second of two that crossed its request. After we
	// have connected again it requests the same transaction only when we announce
	// it again: its requests end with the connection (OnPeerDisconnected).
	classGetData: {items: rate{burst: 10, perMinute: 1}, entry: invSize},

	// Every item answers a getdata (handleServeGetData).
	classNotFound: {items: rate{burst: 10, perMinute: 1}, entry: invSize},

	// A wallet may push a transaction without announcing it; nodes don't.
	classTx: {messages: rate{burst: 100, perMinute: 60}, relayed: true},

	// Those that answer nothing although some were asked for.
	classMix: {messages: rate{burst: 100, perMinute: 60}, relayed: true},

	classBlock:  {messages: rate{burst: 10, perMinute: 1}},
	classBatch:  {messages: rate{burst: 10, perMinute: 1}},
	classFilter: {messages: rate{burst: 10, perMinute: 1}},
}

var (
	// skippedBytes is the rate of skipped messages, all classes together.
	skippedBytes = rate{burst: 4 << 20, perMinute: 4 << 20}

	// txBytes is the rate of transactions that were asked for. The announcement
	// does not tell their size. Full blocks of mainnet have 80 kB a minute; a
	// node relays no transaction above 100 kB (mempool, MaxStandardTxSize).
	txBytes = rate{burst: 8 << 20, perMinute: 16 << 20}

	// mixBytes is the rate of mixing messages that were asked for, also those too
	// long to be read. A mix of a hundred wallets has a hundred of each kind, the
	// longest being ciphertexts (1047 bytes for each wallet) and the transaction to
	// confirm, at most 100 kB each: 20 MB in all. It begins again without those who
	// spoil it, and once every ten minutes on mainnet (package mixing: epochs).
	mixBytes = rate{burst: 32 << 20, perMinute: 16 << 20}
)

// invSize is the size of an entry of inv, getdata and notfound: a type and a
// hash.
const invSize = 4 + chainhash.HashSize
