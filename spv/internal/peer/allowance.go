package peer

import (
	"sync"
	"time"

	"github.com/decred/dcrd/container/lru"
	"github.com/decred/dcrd/wire"
)

// maxAddrMessages is how many messages may answer a getaddr: dcrd sends one
// (OnGetAddr), another node may tell its own address first.
const maxAddrMessages = 10

// maxAnnounced is how many announcements of ours are remembered until the
// remote asks for them: of two rounds.
const maxAnnounced = 2 * maxAnnounce

// allowance is how much a remote may still send. The zero value belongs to a new
// connection; its time begins with the first message. Its lock is held for a few
// additions and never while anything is waited for.
type allowance struct {
	mu       sync.Mutex
	begun    bool
	messages [numClasses]bucket
	sudden   [numClasses]bucket
	items    [numClasses]bucket
	skipped  bucket // bytes
	txs      bucket // bytes
	mixes    bucket // bytes

	// expected counts the answers that are welcome: items of blocks, transactions and
	// mixing messages, messages of all others.
	expected [numClasses]int

	announced *lru.Set[wire.InvVect] // and not asked for yet; nil at first
}

// expect makes the answer to a message of ours welcome, which is about to be sent. It
// stays welcome if the request is given up.
func (a *allowance) expect(msg wire.Message) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch msg := msg.(type) {
	case *wire.MsgPing:
		a.expected[classPong]++
	case *wire.MsgGetHeaders:
		a.expected[classHeaders]++
	case *wire.MsgGetCFsV2:
		a.expected[classBatch]++
	case *wire.MsgGetCFilterV2:
		a.expected[classFilter]++
	case *wire.MsgGetAddr:
		a.expected[classAddr] += maxAddrMessages
	case *wire.MsgGetData:
		for _, iv := range msg.InvList {
			a.expected[itemClass(iv)]++
		}
	case *wire.MsgGetInitState:
		a.expected[classInitState]++
	case *wire.MsgInv:
		if a.announced == nil {
			a.announced = lru.NewSet[wire.InvVect](maxAnnounced)
		}
		for _, iv := range msg.InvList {
			a.announced.Put(*iv)
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
	if (c == classMix || c == classInitState) && a.expected[c] == 0 {
		c = classOther
	}
	n := 1 // items
	if size := limits[c].entry; size > 0 {
		n = max(n, length/size) // the count before them is shorter than one
	}
	switch c {
	case classPong, classBatch, classFilter, classBlock, classTx, classAddr:
		if a.expected[c] == 0 {
			return false, a.skip(c, command, length, now)
		}
		a.expected[c]--
		if c == classTx {
			return true, take(&a.txs, txBytes, length, now, c, command, "bytes")
		}
		return true, nil
	case classInitState:
		a.expected[c]--
		return true, nil
	case classMix:
		a.expected[c]--
		return length <= MaxMixMessage, take(&a.mixes, mixBytes, length, now, c, command, "bytes")
	case classHeaders:
		if a.expected[c] > 0 {
			a.expected[c]--
			return true, nil
		}
	case classNotFound:
		// Its items are taken off when they are known: see named.
		owed := a.expected[classBlock] + a.expected[classTx] + a.expected[classMix]
		if length >= limits[c].entry {
			n -= min(n, owed)
		}
		return owed > 0, take(&a.items[c], limits[c].items, n, now, c, command, "items")
	case classGetData:
		// Its items may have been announced: see unknown.
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

// continued notes that an announcement continues the one before, as in a reorg: it
// counts as half a message.
func (a *allowance) continued() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.messages[classHeaders].giveBack(0.5)
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

// unknown takes the items of a getdata message that were not announced, or were
// requested before. A message without items counts as one.
func (a *allowance) unknown(items []*wire.InvVect, now time.Time) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	n := 0
	if len(items) == 0 {
		n = 1
	}
	for _, iv := range items {
		if a.announced == nil || !a.announced.Exists(*iv) {
			n++
			continue
		}
		a.announced.Delete(*iv)
	}
	return take(&a.items[classGetData], limits[classGetData].items, n, now, classGetData, wire.CmdGetData, "items")
}

// itemClass is the class of what an item of getdata or notfound stands for.
func itemClass(iv *wire.InvVect) class {
	switch iv.Type {
	case wire.InvTypeTx:
		return classTx
	case wire.InvTypeMix:
		return classMix
	}
	return classBlock
}

// unfit notes that an answer that was let in answers nothing. While its class has room
// for unasked messages it counts as one of them, and the true answer stays welcome.
func (a *allowance) unfit(c class, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.messages[c].take(1, limits[c].messages, now) {
		a.expected[c]++
	}
}

// named takes an item of a notfound message off the expected answers. An item that
// answers nothing is like an unfit answer.
func (a *allowance) named(item *wire.InvVect, fits bool, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !fits && a.items[classNotFound].take(1, limits[classNotFound].items, now) {
		return
	}
	for _, c := range []class{itemClass(item), classBlock, classTx, classMix} {
		if a.expected[c] > 0 {
			a.expected[c]--
			return
		}
	}
}

// take takes n from a bucket. The error says what there was too much of.
func take(b *bucket, r rate, n int, now time.Time, c class, command, unit string) error {
	if b.take(float64(n), r, now) {
		return nil
	}
	return floodError(limits[c].relayed, "more than %.0f %s of %q at once and %.0f a minute",
		r.burst, unit, command, r.perMinute)
}
