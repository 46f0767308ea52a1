package spv

import (
	"context"

	"dcrspv/spv/chain"

	"github.com/decred/dcrd/math/uint256"
)

// ChainReport counts what Verify has checked and found right.
type ChainReport struct {
	Tip         chain.BlockID   // last header checked
	Work        uint256.Uint256 // of the chain up to Tip, added up again
	Proven      bool            // Work is what the network is known to have done
	Checkpoints int             // known blocks that the chain contains

	Headers uint32 // genesis to Tip
	Blake3  uint32 // of Headers, those with blake3 work; that of others is blake256
	Prices  uint32 // of Headers, those whose ticket price was computed again

	Filters   uint32 // held
	Committed uint32 // of Filters, those that are what their header commits to
	FilterSet bool   // the filters from before DCP0005 are complete and have the known hash
}

// Verify reads all of chain.db and checks it as if it came from a stranger: every header
// by all rules, the work of the chain, every filter that a header commits to, the set of
// older filters if it is complete, and that nothing is missing that should be held. All
// processors take part.
//
// progress, if not nil, is called now and then with the number of blocks done and of
// all.
//
// The error is ErrCorrupt and names the height of the first fault, chain.ErrFuture if
// the clock of this computer may be wrong, the error of ctx, or ErrRunning: it is not for
// a Syncer that runs.
func (s *Syncer) Verify(ctx context.Context, progress func(done, total uint32)) (report ChainReport, err error) {
	err = s.exclusive(ctx, func() error {
		r, err := s.db.Verify(ctx, progress)
		report = ChainReport{
			Tip: r.Tip, Work: r.Work, Proven: r.Proven, Checkpoints: r.Anchors,
			Headers: r.Headers, Blake3: r.Blake3, Prices: r.Prices,
			Filters: r.Filters, Committed: r.Committed, FilterSet: r.FilterSet,
		}
		return err
	})
	return report, err
}
