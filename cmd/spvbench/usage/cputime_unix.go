//go:build unix

package usage

import (
	"syscall"
	"time"
)

// CPUSeconds is the CPU time of this process so far, user and system; 0 if the
// system does not say.
func CPUSeconds() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
}
