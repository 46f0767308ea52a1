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

// save writes the progress, if some is not in the file and that can be used. With nothing
// to write it reads nothing of the file either.
func (w *Wallet) save() error {
	if !w.hasUnsaved() {
		return nil
	}
	err := w.update(context.Background(), (*change).saveAlways)
	if errors.Is(err, ErrClosed) {
		return nil // by another Close
	}
	return err
}

// hasUnsaved reports whether there is progress that can be written. Why a file can't be
// used somebody was told.
func (w *Wallet) hasUnsaved() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.broken == nil && w.db.Usable() == nil && w.unsaved.blocks > 0
}
