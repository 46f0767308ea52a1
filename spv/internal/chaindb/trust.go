package chaindb

// Trusted reports whether everything in the file was verified here. If not, what is
// read of it may be wrong.
func (db *DB) Trusted() bool { return db.origin.trusted.Load() }

// trust takes the file as it is for verified, except for the detached part. In a file
// that was made elsewhere that part is dropped, and so are the blobs: nothing can tell
// whether they are right.
func (db *DB) trust() error {
	own, aside := db.origin.own.Load(), db.state.Load().detached
	if !own || !db.Trusted() && aside != nil {
		err := db.update(func(r *reader) error {
			if own {
				r.setDetached(aside.distrusted())
				return nil
			}
			if err := r.dropDetached(); err != nil {
				return err
			}
			if err := r.tx.DeleteBucket(blobsBucket); err != nil {
				return err
			}
			_, err := r.tx.CreateBucket(blobsBucket)
			return err
		})
		if err != nil {
			return err
		}
	}
	db.mu.Lock()
	defer db.mu.Unlock()
	db.origin.ours()
	db.origin.renewSeal(db.file)
	return nil
}

// Distrust has all of the file verified before it is used again: where one part was
// damaged, others may be.
func (db *DB) Distrust() {
	db.mu.Lock()
	defer db.mu.Unlock()
	db.origin.trusted.Store(false)
	db.origin.renewSeal(db.file)
}
