package chaindb

import (
	"bytes"
	"slices"
)

// PutBlob stores a small piece of somebody else's state (the peer registry, say)
// under a name that is not empty, in one synced transaction. nil deletes it.
func (db *DB) PutBlob(name string, data []byte) error {
	return db.update(func(r *reader) error {
		if data == nil {
			return r.tx.Bucket(blobsBucket).Delete([]byte(name))
		}
		return put(r.tx, blobsBucket, []byte(name), slices.Clip(data))
	})
}

// Blob returns a copy of what was stored under the name; nil if nothing was.
func (db *DB) Blob(name string) ([]byte, error) {
	var data []byte
	err := db.view(func(r *reader) error {
		stored, err := get(r.tx, blobsBucket, []byte(name))
		if err != nil {
			return &Damage{Path: r.path, Part: Blob, Blob: name, Err: err}
		}
		data = bytes.Clone(stored)
		return nil
	})
	return data, err
}
