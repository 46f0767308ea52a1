package main

import (
	"strings"
	"testing"
	"time"
)

func TestParseWhen(t *testing.T) {
	for s, want := range map[string]heightOrDate{
		"0":          {},
		"794368":     {height: 794368},
		"2147483647": {height: 2147483647},
		"2024-05-31": {day: time.Date(2024, 5, 31, 0, 0, 0, 0, time.UTC)},
		"2026-03-01": {day: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)},
		"1999-01-01": {day: time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC)},
	} {
		got, err := parseHeightOrDate("--from", s, testNow)
		if err != nil || got != want {
			t.Errorf("%s: %+v, %v; want %+v", s, got, err, want)
		}
	}
	for _, s := range []string{
		"", " ", "-1", "1.5", "1e6", "0x10", "abc", "2147483648", "99999999999999999999",
		"2024-13-01", "2024-02-30", "2024-5-31", "31-05-2024", "2024/05/31", "2024-05-31T00:00:00Z",
		"2026-03-02", "9999-01-01", "--", "1-", "\x00", "20260101", "19991231", "20260302",
	} {
		_, err := parseHeightOrDate("--from", s, testNow)
		if err == nil || userError(err).status != statusUsage || !strings.Contains(err.Error(), "--from") {
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
			if _, err := parseHeightOrDate("--from", now.Format(time.DateOnly), now); err != nil {
				t.Errorf("today, %s: %v", now, err)
			}
			tomorrow := now.AddDate(0, 0, 1).Format(time.DateOnly)
			if _, err := parseHeightOrDate("--from", tomorrow, now); err == nil && tomorrow > now.UTC().Format(time.DateOnly) {
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
	if w, err := parseHeightOrDate("--to", "20269999", testNow); err != nil || w.height != 20269999 {
		t.Errorf("%+v, %v", w, err)
	}
}
