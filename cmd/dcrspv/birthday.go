package main

import (
	"math"
	"sort"
	"strconv"
	"strings"
	"time"

	"dcrspv/spv/chain"

	"github.com/decred/dcrd/chaincfg/v3"
	"github.com/decred/dcrd/wire"
)

// when is a place in the chain as people say it: a height, or a day.
type when struct {
	height uint32
	day    time.Time // start of the day in UTC; zero if a height was given
}

// noHeight is above any height that a network will have in decades, and below any
// date written without hyphens.
const noHeight = 10_000_000

// maxHeight leaves room for arithmetic with heights.
const maxHeight = math.MaxInt32

// parseWhen reads HEIGHT or YYYY-MM-DD; flag is for the error.
func parseWhen(flag, s string, now time.Time) (when, error) {
	if strings.Contains(s, "-") && !strings.HasPrefix(s, "-") {
		day, err := time.Parse(time.DateOnly, s)
		if err != nil {
			return when{}, usage("give a height or a date like 2024-05-31", "bad %s %q", flag, s)
		}
		if day.After(today(now)) {
			return when{}, usage("give a day that has begun", "%s %s is in the future", flag, s)
		}
		return when{day: day}, nil
	}
	height, err := parseHeight(flag, s)
	if err != nil {
		return when{}, usage("give a height or a date like 2024-05-31", "bad %s %q", flag, s)
	}
	if day, err := time.Parse("20060102", s); err == nil && height > noHeight {
		return when{}, usage("write "+day.Format(time.DateOnly)+" if that day is meant",
			"%s %s is no height that any network has, but looks like a date", flag, s)
	}
	return when{height: height}, nil
}

// today is the latest date that is today's, here or in UTC, as parseWhen reads dates.
func today(now time.Time) time.Time {
	if here, err := time.Parse(time.DateOnly, now.Format(time.DateOnly)); err == nil && here.After(now) {
		return here
	}
	return now
}

// parseHeight reads a block height; flag is for the error.
func parseHeight(flag, s string) (uint32, error) {
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil || n > maxHeight {
		return 0, usage("give a block height", "bad %s %q", flag, s)
	}
	return uint32(n), nil
}

// headerSource is the stored best chain, as far as it goes.
type headerSource interface {
	Header(height uint32) (chain.Header, error)
}

// resolve makes a height from w that is never above the first block of the
// day: a birthday too low costs a download, one too high costs coins. The
// stored headers tell exactly; where they do not reach it is estimated.
func (w when) resolve(params *chaincfg.Params, stored headerSource, tip uint32) (uint32, error) {
	if w.day.IsZero() {
		return w.height, nil
	}
	// Header times are not sorted: a miner's clock may be two hours ahead, and
	// the time only has to pass the median of 11 blocks. A day covers it.
	height, reached, err := firstSince(stored, tip, w.day.Add(-24*time.Hour))
	if err == nil && !reached {
		height = max(tip, estimateHeight(params, w.day))
	}
	return height, err
}

// firstSince finds the first block of a time or later, give or take the hours
// that header times are out of order. reached is false if the chain ends before.
func firstSince(stored headerSource, tip uint32, t time.Time) (height uint32, reached bool, err error) {
	since := func(height int) bool {
		if err != nil {
			return true
		}
		var header chain.Header
		if header, err = stored.Header(uint32(height)); err != nil {
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
