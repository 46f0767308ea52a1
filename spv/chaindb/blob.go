package chaindb

import (
	"bytes"

	"go.etcd.io/bbolt"
)

// PutBlob stores a small piece of somebody else's state (the peer registry, say)
// under a name that is not empty, in one synced transaction. nil deletes it.
func (db *DB) PutBlob(name string, data []byte) error {
	return db.update(func(tx *bbolt.Tx, _ *state) error {
		if data == nil {
			return tx.Bucket(blobsBucket).Delete([]byte(name))
		}
		return tx.Bucket(blobsBucket).Put([]byte(name), data)
	})
}

// Blob returns a copy of what was stored under the name; nil if nothing was.
func (db *DB) Blob(name string) ([]byte, error) {
	var data []byte
	err := db.view(func(tx *bbolt.Tx) error {
		data = bytes.Clone(tx.Bucket(blobsBucket).Get([]byte(name)))
		return nil
	})
	return data, err
}
