package spv

import (
	"context"
	"errors"
	"sort"
	"time"

	"dcrspv/spv/chain"

	"github.com/decred/dcrd/chaincfg/v3"
	"github.com/decred/dcrd/wire"
)

// HeightBefore returns a height that is never above the first block of a time: a
// birthday that is too low costs a download, one that is too high costs coins. The
// stored headers tell to the day; where they do not reach it is estimated. Errors are
// those of Header.
func (s *Syncer) HeightBefore(ctx context.Context, t time.Time) (height uint32, err error) {
	err = s.withHeaders(ctx, func(tip uint32, headers headerSource) error {
		height, err = heightBefore(s.cfg.Params, headers, tip, t)
		return err
	})
	return height, err
}

// HeightAfter returns a height that is never below the last block before a time. known
// is false if the stored headers do not reach so far; then the height says nothing.
func (s *Syncer) HeightAfter(ctx context.Context, t time.Time) (height uint32, known bool, err error) {
	err = s.withHeaders(ctx, func(tip uint32, headers headerSource) error {
		height, known, err = firstSince(headers, tip, t.Add(timeOrder))
		height = max(height, 1) - 1
		return err
	})
	return height, known, err
}

// withHeaders runs fn on the stored headers.
func (s *Syncer) withHeaders(ctx context.Context, fn func(tip uint32, headers headerSource) error) error {
	read := func() error {
		tip, _ := s.db.Tip()
		return fn(tip.Height, s.db)
	}
	if !s.started.Load() {
		err := s.offline(ctx, read)
		if !errors.Is(err, ErrRunning) { // else Run began while it waited
			return err
		}
	}
	return s.read(ctx, read)
}

// headerSource is the stored best chain, as far as it goes.
type headerSource interface {
	Header(height uint32) (chain.Header, error)
}

// timeOrder is by how much header times may be out of order: a miner's clock may be
// two hours ahead, and a time only has to pass the median of 11 blocks. A day covers it.
const timeOrder = 24 * time.Hour

// heightBefore is HeightBefore for any headers.
func heightBefore(params *chaincfg.Params, headers headerSource, tip uint32, t time.Time) (uint32, error) {
	height, reached, err := firstSince(headers, tip, t.Add(-timeOrder))
	if err == nil && !reached {
		height = max(tip, estimateHeight(params, t))
	}
	return height, err
}

// firstSince finds the first block of a time or later, give or take the hours
// that header times are out of order. reached is false if the chain ends before.
func firstSince(headers headerSource, tip uint32, t time.Time) (height uint32, reached bool, err error) {
	since := func(height int) bool {
		if err != nil {
			return true
		}
		var header chain.Header
		if header, err = headers.Header(uint32(height)); err != nil {
			return true
		}
		return int64(header.Timestamp()) >= t.Unix()
	}
	if reached = since(int(tip)); !reached {
		return tip, false, err
	}
	return uint32(sort.Search(int(tip), since)), true, err
}

// estimateHeight returns a height that the network has certainly not passed
// before the given day, from nothing but its genesis and its target time for a
// block. The main network keeps to its schedule within a few days in years;
// two percent and two days are the margin. The test network has stood still for
// months when nobody mined: a quarter. Private networks mine on demand, there
// the time says nothing.
func estimateHeight(params *chaincfg.Params, day time.Time) uint32 {
	if params.MinKnownChainWork == nil {
		return 0
	}
	elapsed := day.Sub(params.GenesisBlock.Header.Timestamp)
	margin := elapsed / 50
	if params.Net != wire.MainNet {
		margin = elapsed / 4
	}
	elapsed -= margin + 48*time.Hour
	if elapsed <= 0 {
		return 0
	}
	return uint32(elapsed / params.TargetTimePerBlock)
}
