package chaindb

import (
	"bytes"
	"errors"
	"fmt"

	"dcrspv/spv/chain"

	"github.com/decred/dcrd/math/uint256"
)

// Damage is a part of the file that is not as it was written, or breaks the rules. It
// is an ErrCorrupt. [DB.Mend] drops that part; the rest stays as it is.
type Damage struct {
	Path  string
	Part  Part
	Range chain.Range // heights, of whole segments; nothing for a blob
	Blob  string      // its name
	Err   error       // what is wrong
}

// Part is a kind of data in the file.
type Part string

const (
	Headers Part = "headers"
	Filters Part = "filters"
	Blob    Part = "blob"
)

// Error satisfies the error interface.
func (d *Damage) Error() string {
	return fmt.Sprintf("%v: %s: %s: %v (the next sync drops that and fetches it again)", ErrCorrupt, d.Path, d.What(), d.Err)
}

// What says which part it is.
func (d *Damage) What() string {
	if d.Part == Blob {
		return fmt.Sprintf("blob %q", d.Blob)
	}
	return fmt.Sprintf("%s %d to %d", d.Part, d.Range.From, d.Range.To)
}

// Is makes it an ErrCorrupt.
func (d *Damage) Is(target error) bool { return target == ErrCorrupt }

// Unwrap returns what is wrong.
func (d *Damage) Unwrap() error { return d.Err }

// damage makes the Damage of the segment that a height is in.
func (r *reader) damage(part Part, height uint32, format string, args ...any) error {
	from := height - height%segmentBlocks
	return r.damageOf(part, chain.Range{From: from, To: from + segmentBlocks - 1}, format, args...)
}

func (r *reader) damageOf(part Part, heights chain.Range, format string, args ...any) error {
	heights.To = min(heights.To, r.tip.Height)
	return &Damage{Path: r.path, Part: part, Range: heights, Err: fmt.Errorf(format, args...)}
}

// Mend drops what is damaged, in one synced transaction. Filters are no longer held
// then. Headers are cut off: the chain ends below them. What is stored above them is
// kept aside, unless it was made elsewhere, and joined to the chain again once the headers in
// between have been stored: see [DB.ReplaceHeaders].
func (db *DB) Mend(d *Damage) error {
	return db.update(func(r *reader) error {
		switch d.Part {
		case Headers:
			// Above headers that break a rule nothing is worth keeping: rot breaks a checksum.
			keep := db.own.Load() && !errors.As(d.Err, new(chain.ErrorKind))
			return r.cutOut(d.Range, keep, db.Trusted())
		case Filters:
			first, _ := segmentOf(d.Range.From)
			last, _ := segmentOf(d.Range.To)
			r.filters = r.filters.Remove(chain.Range{From: first * segmentBlocks, To: last*segmentBlocks + segmentBlocks - 1})
			return deleteSegments(r.tx.Bucket(filtersBucket), first, last)
		}
		return r.tx.Bucket(blobsBucket).Delete([]byte(d.Blob))
	})
}

// severed is what is stored above headers that were damaged: the upper part of a chain
// of which the middle is missing.
type severed struct {
	from    uint32 // the lowest height of it
	trusted bool   // it was, when it was set aside
	tip     chain.BlockID
	work    uint256.Uint256 // of the whole chain up to its tip
	filters chain.Ranges
}

// cutOut takes damaged headers out of the chain, with the filters of their blocks. What is
// above all that is damaged is set aside, or goes too unless it is to be kept. trusted:
// the file is.
func (r *reader) cutOut(bad chain.Range, keep, trusted bool) error {
	if err := r.dropSevered(); err != nil { // of two pieces the upper one goes
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

	// What stays ends below the lowest stretch that is damaged.
	kept, work := r.soundBelow(first)
	base, filter := genesisOf(r.rules)
	if kept == 0 {
		work = *workOf(&base)
	} else {
		below, err := r.header(kept*segmentBlocks - 1)
		if err != nil {
			return err
		}
		base = *below
	}
	r.tip, r.work = base.ID(), work
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
	r.filters = whole.filters.Remove(chain.Range{From: r.tip.Height + 1, To: ^uint32(0)})
	if above.From <= whole.tip.Height {
		r.severed = &severed{
			from: above.From, trusted: trusted, tip: whole.tip, work: whole.work,
			filters: whole.filters.Remove(chain.Range{From: 0, To: above.From - 1}),
		}
	}
	if kept > 0 {
		return nil
	}
	r.filters = chain.Ranges{{From: 0, To: 0}}
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
	of := make(map[uint32]uint256.Uint256) // by difficulty: few differ
	for ; sound < n; sound++ {
		value, count, err := r.headerSegment(sound)
		if err != nil {
			return sound, work
		}
		for i := range count {
			h := headerAt(value, i)
			w, ok := of[h.Bits()]
			if !ok {
				w = *workOf(h)
				of[h.Bits()] = w
			}
			work.Add(&w)
		}
	}
	return sound, work
}

// dropSevered gives up what was set aside.
func (r *reader) dropSevered() error {
	if r.severed == nil {
		return nil
	}
	first, _ := segmentOf(r.severed.from)
	last, _ := segmentOf(r.severed.tip.Height)
	r.severed = nil
	if err := deleteSegments(r.tx.Bucket(headersBucket), first, last); err != nil {
		return err
	}
	return deleteSegments(r.tx.Bucket(filtersBucket), first, last)
}

// join looks for the place in headers, which begin at a height, where what was set
// aside follows. It returns those below, and whether that is so. If headers go on there
// without it, it is given up.
func (r *reader) join(from uint32, headers []chain.Header) (below []chain.Header, joins bool, err error) {
	s := r.severed
	if s == nil || from+uint32(len(headers)) < s.from {
		return headers, false, nil
	}
	if from < s.from {
		value, count, readErr := r.segmentOfHeaders(s.from / segmentBlocks)
		below = headers[:s.from-from]
		if readErr == nil && count > 0 && headerAt(value, 0).PrevBlock() == below[len(below)-1].Hash() {
			return below, true, nil
		}
	}
	return headers, false, r.dropSevered()
}
