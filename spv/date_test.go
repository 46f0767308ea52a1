package spv

import (
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"dcrspv/spv/chain"

	"github.com/decred/dcrd/chaincfg/v3"
)

// times is a chain of which only the header times matter.
type times []int64

func (c times) Header(height uint32) (chain.Header, error) {
	var h chain.Header
	if int(height) >= len(c) {
		return h, fmt.Errorf("no header %d", height)
	}
	const timestampOffset = 136 // of wire.BlockHeader
	binary.LittleEndian.PutUint32(h[timestampOffset:], uint32(c[height]))
	return h, nil
}

func TestHeightBefore(t *testing.T) {
	params := chaincfg.MainNetParams()
	genesis := params.GenesisBlock.Header.Timestamp.Unix()
	const n = 20000
	c := make(times, n)
	for h := range c {
		c[h] = genesis + int64(h)*300
		if h%7 == 3 {
			c[h] += 3600 // clocks that go fast
		}
	}
	for d := range n / 288 {
		day := params.GenesisBlock.Header.Timestamp.Truncate(24*time.Hour).AddDate(0, 0, d)
		got, err := heightBefore(params, c, n-1, day)
		if err != nil {
			t.Fatal(err)
		}
		first := 0 // the first block of the day
		for first < n && c[first] < day.Unix() {
			first++
		}
		if int(got) > first {
			t.Fatalf("%s: height %d is above the first block of the day, %d", day, got, first)
		}
		if int(got) < first-2*288-1 {
			t.Fatalf("%s: height %d is more than two days below %d", day, got, first)
		}
	}
}

func TestHeightBeforeBeyondStoredHeaders(t *testing.T) {
	params := chaincfg.MainNetParams()
	genesis := params.GenesisBlock.Header.Timestamp
	day := time.Date(2024, 5, 31, 0, 0, 0, 0, time.UTC)

	fresh := times{genesis.Unix()}
	got, err := heightBefore(params, fresh, 0, day)
	if err != nil || got != estimateHeight(params, day) || got == 0 {
		t.Fatalf("fresh: %d, %v", got, err)
	}

	// A stored tip from before the day is a better bound than the estimate
	// when it is higher.
	ahead := make(times, 3000)
	for h := range ahead {
		ahead[h] = genesis.Unix() + int64(h)
	}
	near := genesis.AddDate(0, 0, 5)
	if got, err = heightBefore(params, ahead, 2999, near); err != nil || got != 2999 {
		t.Fatalf("stored tip: %d, %v", got, err)
	}
}

// TestEstimateIsNeverTooHigh compares with heights whose days are on record.
func TestEstimateIsNeverTooHigh(t *testing.T) {
	main, test := chaincfg.MainNetParams(), chaincfg.TestNet3Params()
	for _, c := range []struct {
		params *chaincfg.Params
		day    string
		height uint32
	}{
		{main, "2015-01-01", 0},
		{main, "2016-02-08", 0},
		{main, "2016-02-10", 0},
		{main, "2017-07-11", 149248}, // DCP0001 in force
		{main, "2020-03-20", 431488}, // DCP0005
		{main, "2023-08-31", 794368}, // DCP0011
		{test, "2018-08-07", 0},
	} {
		day, err := time.Parse(time.DateOnly, c.day)
		if err != nil {
			t.Fatal(err)
		}
		got := estimateHeight(c.params, day)
		if got > c.height {
			t.Errorf("%s %s: %d is above %d", c.params.Name, c.day, got, c.height)
		}
		if c.height > 0 && got < c.height*9/10 {
			t.Errorf("%s %s: %d is far below %d", c.params.Name, c.day, got, c.height)
		}
	}
	for _, params := range []*chaincfg.Params{chaincfg.SimNetParams(), chaincfg.RegNetParams()} {
		if got := estimateHeight(params, time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)); got != 0 {
			t.Errorf("%s: estimate %d of a network that mines on demand", params.Name, got)
		}
	}
	// Never falling, and always behind schedule.
	for _, params := range []*chaincfg.Params{main, test} {
		last := uint32(0)
		for day := params.GenesisBlock.Header.Timestamp; day.Before(time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)); day = day.AddDate(0, 0, 1) {
			got := estimateHeight(params, day)
			schedule := uint32(day.Sub(params.GenesisBlock.Header.Timestamp) / params.TargetTimePerBlock)
			if got < last || got > schedule {
				t.Fatalf("%s %s: %d after %d, schedule %d", params.Name, day, got, last, schedule)
			}
			last = got
		}
	}
}

func TestFirstSince(t *testing.T) {
	c := make(times, 1000)
	start := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
	for h := range c {
		c[h] = start + int64(h)*3600
	}
	height, reached, err := firstSince(c, 999, time.Date(2025, 1, 3, 0, 0, 0, 0, time.UTC))
	if height != 48 || !reached || err != nil {
		t.Errorf("%d, %v, %v", height, reached, err)
	}
	if _, reached, _ := firstSince(c, 999, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)); reached {
		t.Error("reached a time after the tip")
	}
	if _, _, err := firstSince(c, 2000, time.Date(2025, 1, 3, 0, 0, 0, 0, time.UTC)); err == nil {
		t.Error("no error for a missing header")
	}
}
