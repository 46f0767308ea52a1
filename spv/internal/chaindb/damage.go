package chaindb

import (
	"fmt"

	"dcrspv/spv/chain"
)

// Damage is a part of the file that has changed since it was written, or breaks the
// rules. It is an ErrCorrupt. [DB.Mend] drops that part; the rest stays as it is.
type Damage struct {
	Path  string
	Part  Part
	Range chain.Range // heights, of whole segments; not set for a blob
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
