//go:build unix

package main

import (
	"bytes"
	"os"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"
)

// cpuSeconds is the CPU time of this process so far, user and system.
func cpuSeconds() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
}

// statusBytes reads a line of /proc/self/status; 0 where there is none.
func statusBytes(field string) int64 {
	data, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, rest, _ := bytes.Cut(data, []byte(field))
	words := bytes.Fields(rest)
	if len(words) == 0 {
		return 0
	}
	kb, err := strconv.ParseInt(string(words[0]), 10, 64)
	if err != nil {
		return 0
	}
	return kb << 10
}

// watchAnon samples how much is resident and not of a file, for as long as the
// process lives. The function returned says the peak.
func watchAnon() (peak func() int64) {
	var most atomic.Int64
	sample := func() {
		if n := statusBytes("RssAnon:"); n > most.Load() {
			most.Store(n)
		}
	}
	go func() {
		for range time.Tick(20 * time.Millisecond) {
			sample()
		}
	}()
	return func() int64 {
		sample()
		return most.Load()
	}
}
