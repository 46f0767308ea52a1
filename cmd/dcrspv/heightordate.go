package main

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// heightOrDate is a place in the chain as people say it: a height, or a day.
type heightOrDate struct {
	height uint32
	day    time.Time // start of the day in UTC; zero if a height was given
}

// noHeight is above any height that a network will have in decades, and below any
// date written without hyphens.
const noHeight = 10_000_000

// maxHeight leaves room for arithmetic with heights.
const maxHeight = math.MaxInt32

// parseHeightOrDate reads HEIGHT or YYYY-MM-DD; flag is for the error.
func parseHeightOrDate(flag, s string, now time.Time) (heightOrDate, error) {
	if strings.Contains(s, "-") && !strings.HasPrefix(s, "-") {
		day, err := time.Parse(time.DateOnly, s)
		if err != nil {
			return heightOrDate{}, usage("give a height or a date like 2024-05-31", "bad %s %q", flag, s)
		}
		if day.After(today(now)) {
			return heightOrDate{}, usage("give a day that has begun", "%s %s is in the future", flag, s)
		}
		return heightOrDate{day: day}, nil
	}
	height, err := parseHeight(flag, s)
	if err != nil {
		return heightOrDate{}, usage("give a height or a date like 2024-05-31", "bad %s %q", flag, s)
	}
	if day, err := time.Parse("20060102", s); err == nil && height > noHeight {
		return heightOrDate{}, usage("write "+day.Format(time.DateOnly)+" if that day is meant",
			"%s %s is no height that any network has, but looks like a date", flag, s)
	}
	return heightOrDate{height: height}, nil
}

// today is the latest date that is today's, here or in UTC, as parseHeightOrDate reads dates.
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
