package wallet

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

// The tally is a record of meta, and counts all others of it.

func (b *bucket) isTally(key []byte) bool {
	return b == b.in.meta && string(key) == string(keyTally)
}

// saveTally writes what there is in all buckets, at the end of a transaction: count 8,
// sum 8, last number 8 for each, in the order of bucketNames.
func (b *buckets) saveTally() error {
	v := make([]byte, 0, 24*len(b.all))
	for i := range b.all {
		t := &b.all[i].tally
		v = be.AppendUint64(be.AppendUint64(be.AppendUint64(v, t.count), t.sum), t.last)
	}
	return b.meta.raw.Put(keyTally, b.meta.sealed(keyTally, v))
}

func (b *buckets) loadTally() error {
	d := decoder{b: b.meta.Get(keyTally)}
	for i := range b.all {
		b.all[i].tally = tally{count: d.u64(), sum: d.u64(), last: d.u64()}
	}
	if b.bad == nil && !d.ok() {
		b.damaged("the number of its records is missing")
	}
	return b.bad
}

// checkRecords reads all records, and tells how many there are.
func (b *buckets) checkRecords() (n int, err error) {
	for i := range b.all {
		of := &b.all[i]
		if err := of.ForEach(func(_, _ []byte) error { return nil }); err != nil {
			return n, err
		}
		if of.raw.Sequence() != 0 { // bbolt's own, which is not used
			return n, corrupt("the head of %s is not as it was written", of.name)
		}
		n += int(of.tally.count)
	}
	return n, nil
}
