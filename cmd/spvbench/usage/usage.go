// Package usage tells what a measured process uses: CPU time and memory.
package usage

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"sync/atomic"
	"time"
)

// MachineSeconds is the CPU time that all processes of the machine have used
// since it started; 0 where that is not told.
func MachineSeconds() float64 {
	const ticks = 100 // a second, on all Linux platforms
	data, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0
	}
	line, _, _ := bytes.Cut(data, []byte("\n"))
	var sum float64
	for i, word := range bytes.Fields(line) {
		// cpu user nice system idle iowait irq softirq, and what is in those or
		// belongs to other machines
		if i == 0 || i == 4 || i == 5 || i > 7 {
			continue
		}
		n, err := strconv.ParseFloat(string(word), 64)
		if err != nil {
			return 0
		}
		sum += n / ticks
	}
	return sum
}

// PeakRSS is the largest number of bytes that were resident in this process.
// The kernel's other answer, ru_maxrss, counts what the process was before exec.
// 0 where there is no /proc.
func PeakRSS() int64 { return StatusBytes(os.Getpid(), "VmHWM:") }

// StatusBytes reads a line of what /proc tells of a process; 0 where there is none.
func StatusBytes(pid int, field string) int64 {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	_, rest, ok := bytes.Cut(data, []byte(field))
	if !ok {
		return 0
	}
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

// WatchAnon samples how much of this process is resident and not of a file:
// pages of files are the kernel's to take back, these are not. The function
// returned ends it and says the peak, 0 where there is no /proc.
func WatchAnon() (peak func() int64) {
	var most atomic.Int64
	sample := func() {
		if n := StatusBytes(os.Getpid(), "RssAnon:"); n > most.Load() {
			most.Store(n)
		}
	}
	done := make(chan struct{})
	go func() {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				sample()
			case <-done:
				return
			}
		}
	}()
	return func() int64 {
		close(done)
		sample()
		return most.Load()
	}
}
