package spv

import (
	"context"
	"errors"
	"fmt"

	"dcrspv/spv/internal/chaindb"

	"github.com/decred/slog"
)

// errJoined: headers that were stored above damaged ones are part of the chain again, so
// that it ends elsewhere than the engine knows.
var errJoined = errors.New("the stored chain is whole again")

// mends reports whether an error is one after which mend goes on.
func mends(err error) bool {
	return errors.Is(err, errJoined) || damageOf(err) != nil
}

// damageOf is the damage of chain.db that an error tells of; nil if it tells of none. What
// a wallet returns is about its own file.
func damageOf(err error) (d *chaindb.Damage) {
	if of := new(WalletError); !errors.As(err, &of) {
		errors.As(err, &d)
	}
	return d
}

// mend runs do, which uses chain.db, and returns its error. Before that all of a file
// that is not trusted is verified; progress is called with how many blocks are done, and
// of how many. Whatever turns out to be damaged, then or while do runs, is dropped, for
// a sync to fetch again, and do is called once more. The log has a line for each.
func mend(ctx context.Context, db *chaindb.DB, log slog.Logger, progress func(done, total uint32), do func() error) error {
	dropped := func(d *chaindb.Damage) {
		log.Warnf("%s: %s are damaged and dropped, the sync fetches them again (%v)", ChainFile, d.What(), d.Err)
	}
	why := "it is from elsewhere, or was changed since it was written"
	for last := ""; ; {
		if !db.Trusted() {
			log.Warnf("Verifying all of %s: %s", ChainFile, why)
			if err := errors.Join(forgetFilterSet(db), db.Adopt(ctx, progress, dropped)); err != nil {
				return err
			}
		}
		why = "not all of it was verified"
		err := do()
		d := damageOf(err)
		switch {
		case errors.Is(err, errJoined):
			log.Infof("%s is whole again", ChainFile)
			continue
		case d == nil:
			return err
		case d.Error() == last:
			return fmt.Errorf("%w, although that was dropped: delete the file, it is a cache", d)
		}
		dropped(d)
		if err := errors.Join(forgetFilterSet(db), db.Mend(d)); err != nil {
			return err
		}
		if last != "" {
			why = "more of it may be damaged"
			db.Distrust()
		}
		last = d.Error()
	}
}

// forgetFilterSet has the filters that no header commits to compared with the known set
// again. It comes before some of them are dropped: killed in between, the ones
// fetched in their place must be compared too.
func forgetFilterSet(db *chaindb.DB) error { return db.PutBlob(legacyBlob, nil) }
