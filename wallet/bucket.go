package wallet

import (
	"hash/crc32"

	"go.etcd.io/bbolt"
)

// bbolt believes what it reads. So each record ends with a seal: the CRC-32C of the
// name of its bucket, its key and its value. One that has changed, or has moved to
// another key or bucket, is found when it is read. One that has vanished is not read:
// for that there is the tally.
const sealSize = 4

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// tally is what there is in a bucket, so that what has vanished is missed: records,
// whole pages of them, or the latest version of a page. It is known without reading
// them, and compared with them by whoever reads them all.
type tally struct {
	count uint64 // of the records
	sum   uint64 // of their seals, mod 2^64
	last  uint64 // number that was given out, see NextSequence
}

func (t *tally) add(stored []byte) {
	t.count++
	t.sum += uint64(be.Uint32(stored[len(stored)-sealSize:]))
}

func (t *tally) remove(stored []byte) {
	t.count--
	t.sum -= uint64(be.Uint32(stored[len(stored)-sealSize:]))
}

// next gives out the number after the last one.
func (t *tally) next() uint64 {
	t.last++
	return t.last
}

// bucket is a bucket in one transaction. What a wallet reads and writes goes through
// it, except for the tally itself.
//
// A record that is not as it was written looks as if it were not there, and ends the
// transaction: see buckets.bad.
type bucket struct {
	*health
	isMeta bool
	late   bool // its pages were not needed to open the file
	raw    *bbolt.Bucket
	name   string
	seed   uint32 // the CRC of the name
	tally  tally

	// The record looked for last, for those who read before they write.
	known  bool
	key    []byte
	stored []byte // nil if there is none
}

func (b *bucket) setTally(t tally) { b.tally = t }

// isTally: the tally is a record of meta, and counts all others of it.
func (b *bucket) isTally(key []byte) bool {
	return b.isMeta && string(key) == string(keyTally)
}

// ready reports whether bbolt may go through the pages of the bucket.
func (b *bucket) ready() bool { return !b.late || b.readRest() }

func (b *bucket) seal(key, value []byte) uint32 {
	return crc32.Update(crc32.Update(b.seed, castagnoli, key), castagnoli, value)
}

// sealed is a value as it is stored.
func (b *bucket) sealed(key, value []byte) []byte {
	stored := append(make([]byte, 0, len(value)+sealSize), value...)
	return be.AppendUint32(stored, b.seal(key, value))
}

// unseal is the value of a record, which is not nil; nil if it is damaged.
func (b *bucket) unseal(key, stored []byte) []byte {
	n := len(stored) - sealSize
	if n < 0 || be.Uint32(stored[n:]) != b.seal(key, stored[:n]) {
		b.damaged("record %.40x of %s is not as it was written", key, b.name)
		return nil
	}
	return stored[:n:n]
}

// Get is a value, valid until the transaction writes; nil if there is none.
func (b *bucket) Get(key []byte) []byte {
	if !b.ready() {
		return nil
	}
	stored := b.find(key)
	if stored == nil {
		return nil
	}
	return b.unseal(key, stored)
}

// find is what is stored; nil if there is nothing.
func (b *bucket) find(key []byte) []byte {
	if !b.known || string(b.key) != string(key) {
		b.known, b.key, b.stored = true, append(b.key[:0], key...), b.raw.Get(key)
	}
	return b.stored
}

// Put writes a record, or another value of one.
func (b *bucket) Put(key, value []byte) error {
	b.uncount(key)
	stored := b.sealed(key, value)
	b.tally.add(stored)
	b.known = false
	return b.raw.Put(key, stored)
}

// Delete removes a record, if it is there.
func (b *bucket) Delete(key []byte) error {
	if !b.uncount(key) {
		return nil
	}
	b.known = false
	return b.raw.Delete(key)
}

// uncount takes a record out of the tally, and reports whether it is there.
func (b *bucket) uncount(key []byte) bool {
	stored := b.find(key)
	if stored == nil || b.unseal(key, stored) == nil {
		return false
	}
	b.tally.remove(stored)
	return true
}

// NextSequence gives out the number after the last one.
func (b *bucket) NextSequence() uint64 {
	return b.tally.next()
}

// ForEach calls fn for every record, as long as the caller waits, and finds out whether
// some have vanished.
func (b *bucket) ForEach(fn func(k, v []byte) error) error {
	if !b.ready() {
		return b.bad
	}
	read := tally{last: b.tally.last}
	cur := b.raw.Cursor()
	for k, stored := cur.First(); k != nil; k, stored = cur.Next() {
		v := b.unseal(k, stored)
		if err := b.over(); err != nil {
			return err
		}
		if b.isTally(k) {
			continue
		}
		read.add(stored)
		if err := fn(k, v); err != nil {
			return err
		}
	}
	if read != b.tally {
		b.damaged("%s has %d records, which are not the %d that were written", b.name, read.count, b.tally.count)
	}
	return b.bad
}

// cursor goes through the records of a bucket. Where one is damaged it ends.
type cursor struct {
	of  *bucket
	raw *bbolt.Cursor
}

// Cursor is not for bucket meta, of which the tally is a record.
func (b *bucket) Cursor() cursor { return cursor{b, b.raw.Cursor()} }

func (c cursor) First() (k, v []byte) { return c.step(c.raw.First) }

func (c cursor) Last() (k, v []byte) { return c.step(c.raw.Last) }

func (c cursor) Next() (k, v []byte) { return c.step(c.raw.Next) }

func (c cursor) Prev() (k, v []byte) { return c.step(c.raw.Prev) }

func (c cursor) Seek(key []byte) (k, v []byte) {
	return c.step(func() ([]byte, []byte) { return c.raw.Seek(key) })
}

func (c cursor) step(to func() (k, stored []byte)) (key, value []byte) {
	if !c.of.ready() {
		return nil, nil
	}
	k, stored := to()
	if k == nil {
		return nil, nil
	}
	if value = c.of.unseal(k, stored); value == nil {
		return nil, nil
	}
	return k, value
}
