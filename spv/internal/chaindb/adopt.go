package chaindb

import (
	"context"
	"errors"

	"dcrspv/spv/chain"
)

// Adopt verifies all of a file that is not trusted, drops what is wrong in it, and
// trusts the rest. Of a file that was made elsewhere the blobs are dropped too. A
// trusted file is left as it is.
//
// progress is as that of [DB.Verify]; it begins anew after headers were dropped.
// dropped, if not nil, is told of each part that was. Errors: ErrCorrupt of a file that
// can't be read at all, that of ctx, those of writing.
func (db *DB) Adopt(ctx context.Context, progress func(done, total uint32), dropped func(*Damage)) error {
	last := ""
	drop := func(d *Damage) error {
		if d.Error() == last {
			return corrupt(db.path, "%s: %w, although they were dropped", d.What(), d.Err)
		}
		last = d.Error()
		if dropped != nil {
			dropped(d)
		}
		return db.Mend(d)
	}
	for !db.Trusted() {
		report, err := db.Verify(ctx, progress)
		var first *Damage
		switch {
		case err == nil, errors.As(err, &first):
		case errors.Is(err, chain.ErrFuture):
			// Our clock may be behind, and then these come again when it is not.
			tip, _ := db.Tip()
			first = &Damage{Path: db.path, Part: Headers, Range: chain.Range{From: report.Headers, To: tip.Height}, Err: err}
		default:
			return err
		}
		for _, d := range report.Damaged {
			if err := drop(d); err != nil {
				return err
			}
		}
		switch {
		case err == nil:
		case first.Part == Filters: // all the rest is right
			return db.trust()
		default:
			if err := drop(first); err != nil {
				return err
			}
		}
	}
	return nil
}
