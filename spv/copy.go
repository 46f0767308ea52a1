package spv

import "context"

// Copy writes chain.db as it is now to another path: a directory with such a file saves
// another installation the download. It works while the Syncer runs too. There must be
// nothing at the path (fs.ErrExist). On an error, such as the one of ctx, nothing is left
// there. Whoever opens the copy has it verified in full first.
func (s *Syncer) Copy(ctx context.Context, path string) error {
	return s.read(ctx, func() error { return s.db.Copy(ctx, path) })
}
