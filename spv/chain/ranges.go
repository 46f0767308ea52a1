package chain

import "sort"

// Range is a span of heights, both ends included. It always holds at least one
// height: From <= To.
type Range struct{ From, To uint32 }

// Len is the number of heights.
func (r Range) Len() int { return int(r.To-r.From) + 1 }

// Ranges is a set of heights: sorted, disjoint and not adjacent spans. The zero
// value is the empty set. Methods never change their receiver; what they return
// may share its memory, so treat a Ranges as immutable.
type Ranges []Range

// after is the index of the first span that ends at or after h.
func (r Ranges) after(h uint32) int {
	return sort.Search(len(r), func(i int) bool { return r[i].To >= h })
}

// Contains reports whether the set holds the height.
func (r Ranges) Contains(h uint32) bool {
	i := r.after(h)
	return i < len(r) && r[i].From <= h
}

// Covers reports whether the set holds every height of x.
func (r Ranges) Covers(x Range) bool {
	i := r.after(x.From)
	return i < len(r) && r[i].From <= x.From && x.To <= r[i].To
}

// Through is the end of the span that contains from; !ok if none does.
func (r Ranges) Through(from uint32) (to uint32, ok bool) {
	i := r.after(from)
	if i == len(r) || r[i].From > from {
		return 0, false
	}
	return r[i].To, true
}

// Add is the union of the set and x.
func (r Ranges) Add(x Range) Ranges {
	if x.From > x.To {
		return r
	}
	out := make(Ranges, 0, len(r)+1)
	i := 0
	// Spans that end before x and do not touch it. Heights are compared in 64
	// bits, because the last height has no successor in 32.
	for ; i < len(r) && uint64(r[i].To)+1 < uint64(x.From); i++ {
		out = append(out, r[i])
	}
	for ; i < len(r) && uint64(r[i].From) <= uint64(x.To)+1; i++ {
		x.From = min(x.From, r[i].From)
		x.To = max(x.To, r[i].To)
	}
	out = append(out, x)
	return append(out, r[i:]...)
}

// Remove is the set without the heights of x.
func (r Ranges) Remove(x Range) Ranges {
	if x.From > x.To {
		return r
	}
	out := make(Ranges, 0, len(r)+1)
	for _, s := range r {
		if s.To < x.From || s.From > x.To {
			out = append(out, s)
			continue
		}
		if s.From < x.From {
			out = append(out, Range{s.From, x.From - 1})
		}
		if s.To > x.To {
			out = append(out, Range{x.To + 1, s.To})
		}
	}
	return out
}

// Missing is the part of x that is not in the set.
func (r Ranges) Missing(x Range) Ranges {
	if x.From > x.To {
		return nil
	}
	var out Ranges
	for i := r.after(x.From); i < len(r) && r[i].From <= x.To; i++ {
		if r[i].From > x.From {
			out = append(out, Range{x.From, r[i].From - 1})
		}
		if r[i].To >= x.To {
			return out
		}
		x.From = r[i].To + 1
	}
	return append(out, x)
}
