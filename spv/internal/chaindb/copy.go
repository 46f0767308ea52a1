package chaindb

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"go.etcd.io/bbolt"
)

// Copy writes the file as it is now to another path, for another installation or a
// backup; it can be written to meanwhile. There must be nothing at the path
// (fs.ErrExist), and there is a whole copy or nothing. A copy is not trusted where it is
// opened.
func (db *DB) Copy(ctx context.Context, path string) error {
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		if err == nil {
			err = fs.ErrExist
		}
		return fmt.Errorf("copying to %s: %w", path, err)
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".part*")
	if err != nil {
		return fmt.Errorf("copying: %w", err)
	}
	err = db.file.View(func(tx *bbolt.Tx) error {
		_, err := tx.WriteTo(contextWriter{ctx, tmp})
		return err
	})
	if err == nil {
		err = tmp.Sync()
	}
	err = errors.Join(err, tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		err = errors.Join(err, os.Remove(tmp.Name()))
	}
	return wrap("copying", db.path, err)
}

// contextWriter is a file that can't be written to any more once a context has ended.
type contextWriter struct {
	ctx  context.Context
	file *os.File
}

func (w contextWriter) Write(p []byte) (int, error) {
	if err := w.ctx.Err(); err != nil {
		return 0, err
	}
	return w.file.Write(p)
}
