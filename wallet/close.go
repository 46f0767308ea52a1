package wallet

import (
	"cmp"
	"context"
	"errors"
)

// Close ends the use of the file. Before, it writes up to which block the wallet is, if
// the last blocks held nothing of it; where that fails nothing is lost, and a Syncer has
// these blocks tested again. Events loops end with ErrClosed. Calling it again does nothing.
func (w *Wallet) Close() error {
	w.wake.close()
	saved := w.save()
	return cmp.Or(w.explain(w.db.Close()), saved)
}

// save writes the progress, if some is not in the file and that can be used.
func (w *Wallet) save() error {
	if w.db.Over() != nil {
		return nil // somebody was told why
	}
	err := w.update(context.Background(), func(c *change) {
		if c.w.unsaved.blocks > 0 {
			c.saveAlways()
		}
	})
	if errors.Is(err, ErrClosed) {
		return nil // by an earlier Close
	}
	return err
}
