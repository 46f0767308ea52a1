package wallet

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"math"
	"time"

	"dcrspv/spv/chain"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/dcrutil/v4"
)

// EventKind says what happened.
type EventKind string

const (
	// EventMined: Tx is in the chain, in Block. It replaces an earlier one for
	// the same transaction, which comes when more of its inputs and outputs
	// turn out to be watched.
	EventMined EventKind = "mined"

	// EventUnmined: Tx is not in the chain but may get into it: it was handed
	// to AddUnmined or AddRelayed, or its block was undone or disapproved. Own tells
	// the first from the rest. Credits, Debits and
	// Net are as Unmined lists them: what it pays to the wallet, what it takes from
	// it, and its effect, which is 0 if another one comes first that spends the same
	// output (Unmined.Behind). It comes again, and replaces the earlier one, whenever one of these
	// four changes, behind all other events of the same cause.
	EventUnmined EventKind = "unmined"

	// EventConflicted: Tx is not in the chain and can't get into it any more, as By
	// spends one of its inputs. It may have been in the chain until then.
	EventConflicted EventKind = "conflicted"

	// EventExpired: Tx is not in the chain and can't get into it any more, as its
	// expiry height has come. It may have been in the chain until then.
	EventExpired EventKind = "expired"

	// EventSuperseded: Tx is a ticket that is not in the chain and can't get into it
	// while the ticket price is above what it locks. When the price has come down
	// there is an EventUnmined.
	EventSuperseded EventKind = "superseded"

	// EventRemoved: Tx is neither in the chain nor can get into it again, or it has
	// turned out not to be valid, or nothing of it is watched any more, or nobody has
	// mined it for a day.
	EventRemoved EventKind = "removed"

	// EventReorg: the wallet went back to Block, because blocks above it left
	// the best chain. Depth is by how many blocks; that can be more than left
	// the chain, by some that hold no transactions of the wallet. The events of
	// the transactions above follow.
	EventReorg EventKind = "reorg"

	// EventDisapproved: the votes in the block after Block disapproved its
	// regular transactions. The events of those that concern the wallet
	// follow. If a later block of the batch mines one of them again, its event is
	// EventMined.
	EventDisapproved EventKind = "disapproved"

	// EventTip: the wallet has processed blocks up to Block, and the log has nothing more
	// about them. It is not in the log and has no number of its own: a reader that has
	// come to the end of the log is told the wallet's tip, and again when that is another
	// one, with the number of the last event. A slow reader is told of fewer. After a
	// program was killed, or a change has failed, the tip may be lower than it was.
	EventTip EventKind = "tip"

	// EventDerived: the addresses First to Last (both included) of a Branch of
	// XPub are watched now as well.
	EventDerived EventKind = "derived"

	// EventWithdrawn: the addresses First to Last (both included) of a Branch of XPub
	// are not watched any more, at least not for XPub: the use of an earlier one has
	// left the chain.
	EventWithdrawn EventKind = "withdrawn"
)

// Event is an entry of the wallet's log, or an EventTip. Seq counts up from 1 without
// gaps. Fields that a kind does not mention are zero.
type Event struct {
	Seq   uint64        `json:"-"`
	Kind  EventKind     `json:"kind"`
	Block chain.BlockID `json:"block,omitzero"`
	Time  time.Time     `json:"time,omitzero"` // of Block, for EventMined
	Depth uint32        `json:"depth,omitempty"`

	Tx      chainhash.Hash `json:"tx,omitzero"`
	Tree    int8           `json:"tree,omitempty"`
	Net     dcrutil.Amount `json:"net,omitempty"` // credits less debits; of EventUnmined see there
	Credits []Credit       `json:"credits,omitempty"`
	Debits  []Debit        `json:"debits,omitempty"`
	By      chainhash.Hash `json:"by,omitzero"`
	Own     bool           `json:"own,omitempty"` // given to AddUnmined

	XPub   string `json:"xpub,omitempty"`
	Branch uint32 `json:"branch,omitempty"`
	First  uint32 `json:"first,omitempty"`
	Last   uint32 `json:"last,omitempty"`
}

// Credit is an output of an event's transaction that pays a watched script.
type Credit struct {
	Index  uint32         `json:"index"`
	Kind   CoinKind       `json:"kind"`
	Amount dcrutil.Amount `json:"amount"`
	Script []byte         `json:"script"`

	// Matures is the lowest height of a block that may spend it; 0 for a ticket,
	// and while the transaction is not in the chain.
	Matures uint32 `json:"matures,omitempty"`
}

// Debit is a coin of the wallet that an event's transaction spends.
type Debit struct {
	TxID   chainhash.Hash `json:"txid"`
	Index  uint32         `json:"index"`
	Amount dcrutil.Amount `json:"amount"`
}

const (
	// keepEvents is how many events are kept unless KeepEvents says otherwise.
	keepEvents = 100_000

	// keepBytes is how many bytes of the log are kept for each of them, as an average.
	keepBytes = 1 << 10

	// eventChunk and chunkBytes are how many are read at a time: a reader never holds
	// a transaction while its owner works on an event.
	eventChunk = 256
	chunkBytes = 1 << 20
)

// eventBytes is about how long an event in the log is, at most.
func eventBytes(credits []Credit, debits int) int {
	n := 256 + 144*debits
	for _, cr := range credits {
		n += 96 + (len(cr.Script)+2)/3*4
	}
	return n
}

// event adds to the log, and tells how many bytes.
func (c *change) event(ev Event) int {
	delete(c.unlogged, ev.Tx)
	if p := c.w.pool.byID[ev.Tx]; p != nil && ev.Kind != EventUnmined {
		p.unlog()
	}
	value, err := json.Marshal(ev)
	if err != nil {
		c.fail(err)
	}
	seq := c.events.NextSequence()
	c.put(c.events, key64(seq), value)
	c.w.log.add(seq, len(value))
	return len(value)
}

// saveLog cuts the log to its length, at the end of a change that added events.
func (c *change) saveLog() {
	if c.logged() {
		c.trimLog()
	}
}

// trimLog removes the events that are no longer kept. The newest one stays, however long
// it is.
func (c *change) trimLog() {
	last, keep := c.events.tally.last, c.w.log.keep
	most := uint64(math.MaxUint64)
	if keep < math.MaxUint64/keepBytes {
		most = keep * keepBytes
	}
	var keys [][]byte
	cur := c.events.Cursor()
	for k, v := cur.First(); len(k) == 8 && be.Uint64(k) < last; k, v = cur.Next() {
		if last-be.Uint64(k) < keep && c.w.log.bytes <= most {
			break
		}
		c.w.log.cut(len(v))
		keys = append(keys, bytes.Clone(k))
	}
	for _, k := range keys {
		c.del(c.events, k)
	}
	c.put(c.meta, keyLogged, key64(c.w.log.bytes))
}

// KeepEvents sets how many events are kept in this file, the newest ones; at
// least 1. It is 100,000 until it is set. Of events that are longer than 1 KiB as an
// average so many fewer are kept. FirstEvent tells how far back the log goes.
func (w *Wallet) KeepEvents(ctx context.Context, n uint64) error {
	return w.update(ctx, func(c *change) {
		c.w.log.setKeep(max(n, 1))
		c.put(c.meta, keyKeep, key64(c.w.log.keep))
		c.trimLog()
	})
}

// eventLog is how long the log is, and how much of it is kept.
type eventLog struct {
	keep  uint64 // events
	bytes uint64 // of those that are kept
	last  uint64 // the number of the newest one
}

func (l *eventLog) add(seq uint64, bytes int) { l.last, l.bytes = seq, l.bytes+uint64(bytes) }

func (l *eventLog) cut(bytes int) { l.bytes -= uint64(bytes) }

func (l *eventLog) setKeep(events uint64) { l.keep = events }

func (l *eventLog) load(b *buckets) error {
	l.keep, l.last = keepEvents, b.events.tally.last
	if v := b.meta.Get(keyKeep); v != nil {
		if len(v) != 8 || be.Uint64(v) == 0 {
			return corrupt("the number of events to keep")
		}
		l.keep = be.Uint64(v)
	}
	v := b.meta.Get(keyLogged)
	if v == nil { // no event yet
		return nil
	}
	if len(v) != 8 {
		return corrupt("the length of the log")
	}
	l.bytes = be.Uint64(v)
	return nil
}

// firstEvent is the number of the oldest event that is kept, as there is no gap; one more
// than the last number if there is none.
func (b *buckets) firstEvent() uint64 { return b.events.tally.last - b.events.tally.count + 1 }

// FirstEvent is the number of the oldest event that is kept; 0 if there is none.
func (w *Wallet) FirstEvent(ctx context.Context) (seq uint64, err error) {
	err = w.view(ctx, func(b *buckets) error {
		if b.events.tally.count > 0 {
			seq = b.firstEvent()
		}
		return nil
	})
	return seq, err
}

// LastEvent is the number of the newest event; 0 if there was none yet.
func (w *Wallet) LastEvent(ctx context.Context) (seq uint64, err error) {
	err = w.view(ctx, func(b *buckets) error {
		seq = b.events.tally.last
		return nil
	})
	return seq, err
}

// Events is the wallet's log after the event number cursor (0: from the
// beginning): first what is there, then what comes, until ctx ends or the loop
// is left. An event is in the log exactly if its cause is in the wallet, as
// both are written together: who stores the number of the last event handled
// misses nothing and sees nothing twice. At its end comes the wallet's tip
// (EventTip). A slow reader holds up nobody.
//
// The last element is an error: the context's, ErrClosed, ErrCursor or
// ErrCursorTooOld (see KeepEvents).
func (w *Wallet) Events(ctx context.Context, cursor uint64) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		var told chain.BlockID // as the tip
		for {
			woken := w.wake.channel()
			events, err := w.readEvents(ctx, cursor)
			if err == nil && len(events) == 0 {
				events, err = w.tipEvent(ctx, cursor, told)
			}
			if err != nil {
				yield(Event{}, err)
				return
			}
			for _, ev := range events {
				if !yield(ev, nil) {
					return
				}
				cursor = ev.Seq
				switch ev.Kind {
				case EventTip:
					told = ev.Block
				case EventReorg: // the tip told before does not count any more
					told = chain.BlockID{}
				}
			}
			if len(events) > 0 {
				continue
			}
			select {
			case <-woken:
			case <-ctx.Done():
				yield(Event{}, ctx.Err())
				return
			}
		}
	}
}

// tipEvent tells the tip, if the log ends at cursor and another one was told.
func (w *Wallet) tipEvent(ctx context.Context, cursor uint64, told chain.BlockID) (events []Event, err error) {
	err = w.fromMemory(ctx, func() error {
		if tip, ok := w.tip(); ok && w.log.last == cursor && tip != told {
			events = []Event{{Seq: cursor, Kind: EventTip, Block: tip}}
		}
		return nil
	})
	return events, err
}

func (w *Wallet) readEvents(ctx context.Context, cursor uint64) (out []Event, err error) {
	err = w.view(ctx, func(b *buckets) error {
		last := b.events.tally.last
		switch {
		case cursor > last:
			return fmt.Errorf("%w: %d, the log ends at %d", ErrCursor, cursor, last)
		case cursor+1 < b.firstEvent():
			return fmt.Errorf("%w: event %d is no longer kept", ErrCursorTooOld, cursor+1)
		}
		cur := b.events.Cursor()
		k, v := cur.Seek(key64(cursor + 1))
		for size := 0; cursor < last && len(out) < eventChunk && size < chunkBytes; k, v = cur.Next() {
			cursor++
			ev := Event{Seq: cursor}
			if len(k) != 8 || be.Uint64(k) != cursor {
				return corrupt("event %d is missing", cursor)
			}
			if err := json.Unmarshal(v, &ev); err != nil {
				return corrupt("event %d: %v", cursor, err)
			}
			size += len(v)
			out = append(out, ev)
		}
		return nil
	})
	return out, err
}
