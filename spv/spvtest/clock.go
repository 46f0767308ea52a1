package spvtest

import (
	"time"
	"unsafe"
)

// SetBy returns a time that time.Now has read as it would have been read if the clock on
// the wall had been set by d, whole seconds, before: the steady clock beside it, by which
// times of one process are compared, goes on as it was. Virtual time has no clock that can
// be set, and none beside it: there the latter is made up, so what SetBy has returned is to
// be compared with nothing else.
func SetBy(t time.Time, d time.Duration) time.Time {
	const steady = 1 << 63
	// As in package time: a bit that both are there, 33 bits of seconds since 1885 and 30
	// of nanoseconds; the other clock's nanoseconds, or without it seconds since the year 1.
	raw := (*struct {
		wall uint64
		ext  int64
	})(unsafe.Pointer(&t))
	if raw.wall&steady == 0 {
		ext := time.Duration(t.UnixNano()) - time.Duration(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).UnixNano())
		seconds := t.Unix() - time.Date(1885, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
		raw.wall, raw.ext = steady|uint64(seconds)<<30|uint64(t.Nanosecond()), int64(ext)
	}
	raw.wall += uint64(d/time.Second) << 30
	return t
}
