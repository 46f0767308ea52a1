package chaindb

import (
	"bytes"
	"errors"

	"dcrspv/spv/chain"

	"github.com/decred/dcrd/math/uint256"
)

// Mend drops what is damaged, in one synced transaction. Filters are not held any more
// then. After damaged headers the chain ends below them. The part above them is set
// aside, unless the file was made elsewhere, and joined to the chain again once the
// headers in between have been stored: see [DB.ReplaceHeaders].
func (db *DB) Mend(d *Damage) error {
	return db.update(func(r *reader) error {
		switch d.Part {
		case Headers:
			// A fault of the disk breaks a checksum. Above headers that break a rule nothing
			// is worth keeping.
			keep := db.origin.own.Load() && !errors.As(d.Err, new(chain.ErrorKind))
			return r.removeHeaders(d.Range, keep, db.Trusted())
		case Filters:
			first, _ := segmentOf(d.Range.From)
			last, _ := segmentOf(d.Range.To)
			r.setFilters(r.filters.Remove(chain.Range{From: first * segmentBlocks, To: last*segmentBlocks + segmentBlocks - 1}))
			return deleteSegments(r.tx.Bucket(filtersBucket), first, last)
		}
		return r.tx.Bucket(blobsBucket).Delete([]byte(d.Blob))
	})
}

// removeHeaders takes damaged headers out of the chain, with the filters of their blocks.
// The part above all damage is set aside, if keep, or else dropped too. trusted: the file
// is trusted.
func (r *reader) removeHeaders(bad chain.Range, keep, trusted bool) error {
	if err := r.dropDetached(); err != nil { // there is room for one such part
		return err
	}
	first, _ := segmentOf(bad.From)
	end, _ := segmentOf(bad.To)
	last, _ := segmentOf(r.tip.Height)
	key, _ := r.tx.Bucket(headersBucket).Cursor().Last()
	if keep && bytes.Equal(key, segmentKey(last)) {
		end = r.damagedUpTo(min(end, last), last)
	} else {
		end = last
	}
	whole := *r.state

	// What stays ends below the lowest damaged segment.
	kept, work := r.soundBelow(first)
	base, filter := genesisOf(r.rules)
	if kept == 0 {
		work = chain.Work(base.Bits())
	} else {
		below, err := r.header(kept*segmentBlocks - 1)
		if err != nil {
			return err
		}
		base = *below
	}
	r.setTip(base.ID(), work)
	upTo := end
	if end == last {
		upTo = ^uint32(0) // whatever may be there
	}
	for _, name := range [][]byte{headersBucket, filtersBucket} {
		if err := deleteSegments(r.tx.Bucket(name), kept, upTo); err != nil {
			return err
		}
	}
	above := chain.Range{From: (end + 1) * segmentBlocks, To: ^uint32(0)}
	r.setFilters(whole.filters.Remove(chain.Range{From: r.tip.Height + 1, To: ^uint32(0)}))
	if above.From <= whole.tip.Height {
		r.setDetached(&detached{
			from: above.From, trusted: trusted, tip: whole.tip, work: whole.work,
			filters: whole.filters.Remove(chain.Range{From: 0, To: above.From - 1}),
		})
	}
	if kept > 0 {
		return nil
	}
	r.setFilters(chain.Ranges{{From: 0, To: 0}})
	return putGenesis(r.tx, &base, filter)
}

// damagedUpTo returns the highest segment of headers, from one on, that is damaged or does
// not follow the one below it.
func (r *reader) damagedUpTo(from, last uint32) uint32 {
	end := from
	var below *chain.Header // the last one of the segment below; nil if that is damaged
	for segment := from + 1; segment <= last; segment++ {
		value, count, err := r.headerSegment(segment)
		if err != nil {
			end, below = segment, nil
			continue
		}
		if below != nil && headerAt(value, 0).PrevBlock() != below.Hash() {
			end = segment
		}
		below = headerAt(value, count-1)
	}
	return end
}

// soundBelow returns how many segments of headers, of the lowest n, come before the
// first that is damaged, and the work in them.
func (r *reader) soundBelow(n uint32) (sound uint32, work uint256.Uint256) {
	for ; sound < n; sound++ {
		value, count, err := r.headerSegment(sound)
		if err != nil {
			return sound, work
		}
		for i := range count {
			own := chain.Work(headerAt(value, i).Bits())
			work.Add(&own)
		}
	}
	return sound, work
}
