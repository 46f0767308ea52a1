package main

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"time"

	"dcrspv/spv/chain"

	"github.com/decred/dcrd/chaincfg/v3"
)

func TestParseWhen(t *testing.T) {
	for s, want := range map[string]when{
		"0":          {},
		"794368":     {height: 794368},
		"2147483647": {height: 2147483647},
		"2024-05-31": {day: time.Date(2024, 5, 31, 0, 0, 0, 0, time.UTC)},
		"2026-03-01": {day: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)},
		"1999-01-01": {day: time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC)},
	} {
		got, err := parseWhen("--from", s, testNow)
		if err != nil || got != want {
			t.Errorf("%s: %+v, %v; want %+v", s, got, err, want)
		}
	}
	for _, s := range []string{
		"", " ", "-1", "1.5", "1e6", "0x10", "abc", "2147483648", "99999999999999999999",
		"2024-13-01", "2024-02-30", "2024-5-31", "31-05-2024", "2024/05/31", "2024-05-31T00:00:00Z",
		"2026-03-02", "9999-01-01", "--", "1-", "\x00", "20260101", "19991231", "20260302",
	} {
		_, err := parseWhen("--from", s, testNow)
		if err == nil || explain(err).status != statusUsage || !strings.Contains(err.Error(), "--from") {
			t.Errorf("%q: error %v", s, err)
		}
	}
}

// TestTodayIsADateEverywhere: today's date is taken whether the day is ahead of UTC or
// behind, and tomorrow's is not.
func TestTodayIsADateEverywhere(t *testing.T) {
	for _, hours := range []int{-12, -5, 0, 5, 14} {
		now := testNow.In(time.FixedZone("there", hours*3600))
		for hour := range 24 {
			now := now.Add(time.Duration(hour) * time.Hour)
			if _, err := parseWhen("--from", now.Format(time.DateOnly), now); err != nil {
				t.Errorf("today, %s: %v", now, err)
			}
			tomorrow := now.AddDate(0, 0, 1).Format(time.DateOnly)
			if _, err := parseWhen("--from", tomorrow, now); err == nil && tomorrow > now.UTC().Format(time.DateOnly) {
				t.Errorf("%s was taken at %s", tomorrow, now)
			}
		}
	}
}

// TestDateWithoutHyphens: a number of eight digits that is a date was meant as one.
func TestDateWithoutHyphens(t *testing.T) {
	for _, args := range [][]string{
		{"watch", "--from", "20260101", mainAddress}, {"--birthday", "20260101", "status"},
		{"rescan", "--from", "20260101"}, {"rescan", "--to", "20260101"},
	} {
		dcrspv(t, args...).wantFailure(t, statusUsage, "20260101", "write 2026-01-01")
	}
	if w, err := parseWhen("--to", "20269999", testNow); err != nil || w.height != 20269999 {
		t.Errorf("%+v, %v", w, err)
	}
}

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

func TestResolveFromStoredHeaders(t *testing.T) {
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
		got, err := when{day: day}.resolve(params, c, n-1)
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

func TestResolveBeyondStoredHeaders(t *testing.T) {
	params := chaincfg.MainNetParams()
	genesis := params.GenesisBlock.Header.Timestamp
	day := time.Date(2024, 5, 31, 0, 0, 0, 0, time.UTC)

	fresh := times{genesis.Unix()}
	got, err := when{day: day}.resolve(params, fresh, 0)
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
	if got, err = (when{day: near}).resolve(params, ahead, 2999); err != nil || got != 2999 {
		t.Fatalf("stored tip: %d, %v", got, err)
	}
	if got, err = (when{height: 12}).resolve(params, nil, 0); err != nil || got != 12 {
		t.Fatalf("height: %d, %v", got, err)
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
		if got := estimateHeight(params, testNow); got != 0 {
			t.Errorf("%s: estimate %d of a network that mines on demand", params.Name, got)
		}
	}
	// Never falling, and always behind schedule.
	for _, params := range []*chaincfg.Params{main, test} {
		last := uint32(0)
		for day := params.GenesisBlock.Header.Timestamp; day.Before(testNow); day = day.AddDate(0, 0, 1) {
			got := estimateHeight(params, day)
			schedule := uint32(day.Sub(params.GenesisBlock.Header.Timestamp) / params.TargetTimePerBlock)
			if got < last || got > schedule {
				t.Fatalf("%s %s: %d after %d, schedule %d", params.Name, day, got, last, schedule)
			}
			last = got
		}
	}
}
