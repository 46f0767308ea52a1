package spvtest

import (
	"time"
	"unsafe"
)

// SetBy returns a time, as time.Now has read it, as it would have been read if the clock
// on the wall had been set by d, whole seconds, before: the steady clock beside it, by
// which times of one process are compared, goes on as it was. In virtual time there is no
// other way to set a clock.
func SetBy(t time.Time, d time.Duration) time.Time {
	// See type Time in package time: 1 bit that both are there, 33 bits of seconds since
	// 1885, and 30 bits of nanoseconds.
	wall := (*uint64)(unsafe.Pointer(&t))
	*wall += uint64(d/time.Second) << 30
	return t
}
