package chain

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// chainOfTimes makes headers of heights 0 and up with these times.
func chainOfTimes(times ...uint32) ([]Header, Ancestor) {
	headers := make([]Header, len(times))
	for i, when := range times {
		setHeight(&headers[i], uint32(i))
		setTime(&headers[i], when)
	}
	return headers, func(height uint32) *Header { return &headers[height] }
}

// Rule 10.
func TestMedianTime(t *testing.T) {
	for _, tt := range []struct {
		name  string
		times []uint32
		want  uint32
	}{
		{"genesis alone", []uint32{5}, 5},
		{"two: the later", []uint32{5, 9}, 9},
		{"two, backwards: the later", []uint32{9, 5}, 9},
		{"three", []uint32{5, 9, 7}, 7},
		{"four: the upper of the middle two", []uint32{1, 2, 3, 4}, 3},
		{"ten: likewise", []uint32{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, 6},
		{"eleven", []uint32{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}, 6},
		{"only the last eleven", []uint32{100, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}, 6},
		{"equal times", []uint32{3, 3, 3}, 3},
	} {
		headers, anc := chainOfTimes(tt.times...)
		got, ok := medianTime(&headers[len(headers)-1], anc)
		if !ok || got != tt.want {
			t.Errorf("%s: got %d, %v, want %d", tt.name, got, ok, tt.want)
		}
	}
	headers, _ := chainOfTimes(1, 2, 3)
	if _, ok := medianTime(&headers[2], func(uint32) *Header { return nil }); ok {
		t.Error("median without ancestors")
	}
}

func TestMedianTimeOfRandomTimes(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 500 {
		times := make([]uint32, 1+rng.IntN(20))
		for i := range times {
			times[i] = rng.Uint32N(30)
		}
		headers, anc := chainOfTimes(times...)
		got, _ := medianTime(&headers[len(headers)-1], anc)
		last := slices.Sorted(slices.Values(times[max(0, len(times)-11):]))
		if want := last[len(last)/2]; got != want {
			t.Fatalf("%v: got %d, want %d", times, got, want)
		}
	}
}

// Rule 10.
func TestCheckMedianTimeBoundary(t *testing.T) {
	headers, anc := chainOfTimes(10, 20, 30)
	var h Header
	setHeight(&h, 3)
	setTime(&h, 20)
	wantErr(t, checkMedianTime(&h, &headers[2], anc), ErrMedianTime)
	setTime(&h, 21) // before its parent, which is allowed
	if err := checkMedianTime(&h, &headers[2], anc); err != nil {
		t.Error(err)
	}
}

// Rule 10.
func TestCheckFutureBoundary(t *testing.T) {
	var h Header
	now := time.Unix(1_700_000_000, 0)
	setTime(&h, 1_700_007_200)
	if err := checkFuture(&h, now); err != nil {
		t.Errorf("two hours: %v", err)
	}
	wantErr(t, checkFuture(&h, now.Add(-time.Nanosecond)), ErrFuture)
	setTime(&h, 1_700_007_201)
	wantErr(t, checkFuture(&h, now), ErrFuture)
}
