package peer

import (
	"sync"
	"time"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/container/lru"
	"github.com/decred/dcrd/wire"
)

// A class is a kind of message that has an allowance of its own.
type class uint8

const (
	classOther      class = iota // of no use to a light client, known or not
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
	}
	return classOther
}

// A rate is what may come at once, and what is added to that again with time.
type rate struct {
	burst, perMinute float64

	// first is what a new connection may send at once, if that is less: the rest of
	// the burst is earned with time, so that nobody has it anew by connecting anew.
	first float64
}

// A limit is what a node may send of a class without having been asked.
type limit struct {
	messages rate // of any size
	sudden   rate // the same in a short time; zero is no limit
	items    rate // entries in them, an empty message being one; zero is no limit
	entry    int  // bytes of an entry

	// relayed: it only passes on what others do. A node that sends too much
	// of it may be flooded itself, and has not broken the protocol.
	relayed bool
}

// limits is the table. Answers are not in it: each request makes its own
// answer welcome, once, and so does an announcement of ours the getdata for it.
// Where an answer comes unasked it is skipped unread, and what is here only says
// how often. The numbers are far above what dcrd 2.1 sends (its server.go,
// internal/netsync/manager.go and peer/v3), so that a node of another make or
// under attack has room, and low enough that all of it at once takes less than
// half a second of one core.
var limits = [numClasses]limit{
	// sendheaders and getaddr come once (OnVerAck, OnVersion). dcrd sends the
	// mix messages, mempool, initstate and the like only to who asks. The rest
	// is for what nodes may say in years to come.
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
	// in the same way: a fortnight on mainnet is 4,032 messages. It connects each
	// block before it announces it, which takes milliseconds. Otherwise a block
	// comes every 300 s, on simnet every second. Such a burst takes its time to
	// come about: what happened before the connection is told in the answer to our
	// getheaders. So a new connection has room for what has piled up on a line that
	// stood still.
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

	// dcrd asks once for each transaction that we announce (OnInv). It may know
	// more than we remember: an announcement that was forgotten because many
	// others followed it, or one of two that crossed its question. For the same
	// transaction after a restart of ours it asks again only when it is
	// announced again, since what it had asked for ends with the connection
	// (OnPeerDisconnected).
	classGetData: {items: rate{burst: 10, perMinute: 1}, entry: invSize},

	// Every item answers a getdata (handleServeGetData).
	classNotFound: {items: rate{burst: 10, perMinute: 1}, entry: invSize},

	// A wallet may push a transaction without announcing it; nodes don't.
	classTx: {messages: rate{burst: 100, perMinute: 60}, relayed: true},

	classBlock:  {messages: rate{burst: 10, perMinute: 1}},
	classBatch:  {messages: rate{burst: 10, perMinute: 1}},
	classFilter: {messages: rate{burst: 10, perMinute: 1}},
}

var (
	// skippedBytes is the rate of what is skipped unread, all classes together.
	skippedBytes = rate{burst: 4 << 20, perMinute: 4 << 20}

	// txBytes is the rate of transactions that were asked for. The announcement
	// does not tell their size. Full blocks of mainnet have 80 kB a minute; a
	// node relays no transaction above 100 kB (mempool, MaxStandardTxSize).
	txBytes = rate{burst: 8 << 20, perMinute: 16 << 20}
)

// invSize is the size of an entry of inv, getdata and notfound: a type and a
// hash.
const invSize = 4 + chainhash.HashSize

// maxAddrMessages is how many messages may answer a getaddr: dcrd sends one
// (OnGetAddr), another node may tell its own address first.
const maxAddrMessages = 10

// maxAnnounced is how many announcements of ours are remembered until the
// remote asks for them: of two rounds.
const maxAnnounced = 2 * maxAnnounce

// allowance is what a remote may still send. The zero value is that of a new
// connection, which begins with its first message. Its lock is held for a few
// additions and never while anything is waited for.
type allowance struct {
	mu       sync.Mutex
	begun    bool
	messages [numClasses]bucket
	sudden   [numClasses]bucket
	items    [numClasses]bucket
	skipped  bucket // bytes
	txs      bucket // bytes

	// owed counts answers that are welcome: messages, of blocks and
	// transactions items.
	owed [numClasses]int

	announced *lru.Set[chainhash.Hash] // and not asked for yet; nil at first
}

// asked makes the answer to a message of ours welcome, which is about to be
// sent. What was given up since may still be answered.
func (a *allowance) asked(msg wire.Message) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch msg := msg.(type) {
	case *wire.MsgPing:
		a.owed[classPong]++
	case *wire.MsgGetHeaders:
		a.owed[classHeaders]++
	case *wire.MsgGetCFsV2:
		a.owed[classBatch]++
	case *wire.MsgGetCFilterV2:
		a.owed[classFilter]++
	case *wire.MsgGetAddr:
		a.owed[classAddr] += maxAddrMessages
	case *wire.MsgGetData:
		for _, iv := range msg.InvList {
			if iv.Type == wire.InvTypeTx {
				a.owed[classTx]++
			} else {
				a.owed[classBlock]++
			}
		}
	case *wire.MsgInv:
		if a.announced == nil {
			a.announced = lru.NewSet[chainhash.Hash](maxAnnounced)
		}
		for _, iv := range msg.InvList {
			a.announced.Put(iv.Hash)
		}
	}
}

// admit decides about a message by its command and length in bytes, before any
// of its payload is read: to be read, to be skipped, or too much, which is an
// ErrFlood.
func (a *allowance) admit(command string, length int, now time.Time) (read bool, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.begun {
		a.begin(now)
	}
	c := classOf(command)
	n := 1 // items
	if size := limits[c].entry; size > 0 {
		n = max(n, length/size) // the count before them is shorter than one
	}
	switch c {
	case classPong, classBatch, classFilter, classBlock, classTx, classAddr:
		if a.owed[c] == 0 {
			return false, a.skip(c, command, length, now)
		}
		a.owed[c]--
		if c == classTx {
			return true, take(&a.txs, txBytes, length, now, c, command, "bytes")
		}
		return true, nil
	case classHeaders:
		if a.owed[c] > 0 {
			a.owed[c]--
			return true, nil
		}
	case classNotFound:
		// What it names is taken off when it is known: see named.
		owed := a.owed[classBlock] + a.owed[classTx]
		if length >= limits[c].entry {
			n -= min(n, owed)
		}
		return owed > 0, take(&a.items[c], limits[c].items, n, now, c, command, "items")
	case classGetData:
		// What it names may have been announced: see unknown.
		if a.announced != nil {
			n -= min(n, int(a.announced.Len()))
		}
		left := a.items[c]
		return true, take(&left, limits[c].items, n, now, c, command, "items")
	case classOther:
		return false, a.skip(c, command, length, now)
	}
	return true, a.unasked(c, command, n, now)
}

// begin has the time run in which the bursts are earned.
func (a *allowance) begin(now time.Time) {
	a.begun = true
	for c, l := range limits {
		a.messages[c] = l.messages.begin(now)
	}
}

// continued is told of an announcement that continues the one before, as those of a
// reorg do: it is half a message.
func (a *allowance) continued() {
	a.mu.Lock()
	defer a.mu.Unlock()
	b := &a.messages[classHeaders]
	b.taken = max(b.taken-0.5, 0)
}

// begin is the bucket of a new connection.
func (r rate) begin(now time.Time) (b bucket) {
	if r.first > 0 {
		b = bucket{taken: r.burst - r.first, at: now}
	}
	return b
}

// unasked takes a message that is no answer, and its items, from the limits of
// its class.
func (a *allowance) unasked(c class, command string, items int, now time.Time) error {
	if err := take(&a.messages[c], limits[c].messages, 1, now, c, command, "messages"); err != nil {
		return err
	}
	if r := limits[c].sudden; r.burst > 0 {
		if err := take(&a.sudden[c], r, 1, now, c, command, "messages"); err != nil {
			return err
		}
	}
	if limits[c].entry == 0 {
		return nil
	}
	return take(&a.items[c], limits[c].items, items, now, c, command, "items")
}

// skip is unasked for a message that is not read.
func (a *allowance) skip(c class, command string, length int, now time.Time) error {
	if err := a.unasked(c, command, 1, now); err != nil {
		return err
	}
	return take(&a.skipped, skippedBytes, length, now, c, command, "bytes")
}

// unknown takes what a getdata message asks for and was not announced, or was
// asked for before. A message that asks for nothing is one such item.
func (a *allowance) unknown(items []*wire.InvVect, now time.Time) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	n := 0
	if len(items) == 0 {
		n = 1
	}
	for _, iv := range items {
		if iv.Type != wire.InvTypeTx || a.announced == nil || !a.announced.Exists(iv.Hash) {
			n++
			continue
		}
		a.announced.Delete(iv.Hash)
	}
	return take(&a.items[classGetData], limits[classGetData].items, n, now, classGetData, wire.CmdGetData, "items")
}

// unfit is told of an answer that was let in and answers nothing. While its class
// has room for what is unasked it is one of that, and what it was taken for may
// still come.
func (a *allowance) unfit(c class, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.messages[c].take(1, limits[c].messages, now) {
		a.owed[c]++
	}
}

// named takes an item of a notfound message off what is owed. One that answers
// nothing is like an answer that is unfit.
func (a *allowance) named(item *wire.InvVect, fits bool, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !fits && a.items[classNotFound].take(1, limits[classNotFound].items, now) {
		return
	}
	c, other := classBlock, classTx
	if item.Type == wire.InvTypeTx {
		c, other = other, c
	}
	if a.owed[c] == 0 {
		c = other
	}
	a.owed[c] = max(a.owed[c]-1, 0)
}

// take takes n from a bucket, or says what there was too much of.
func take(b *bucket, r rate, n int, now time.Time, c class, command, unit string) error {
	if b.take(float64(n), r, now) {
		return nil
	}
	return floodError(limits[c].relayed, "more than %.0f %s of %q at once and %.0f a minute",
		r.burst, unit, command, r.perMinute)
}

// bucket holds what has been taken of a rate and not been added again. The zero
// value is full.
type bucket struct {
	taken float64
	at    time.Time // when taken was right
}

// take takes n unless that is more than there is.
func (b *bucket) take(n float64, r rate, now time.Time) bool {
	taken := max(b.taken-max(now.Sub(b.at), 0).Minutes()*r.perMinute, 0)
	if taken+n > r.burst {
		return false
	}
	b.taken, b.at = taken+n, now
	return true
}
