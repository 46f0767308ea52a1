//go:build !linux

package chaindb

// readAhead is advice that this system does without.
func readAhead([]byte) {}

func readDone([]byte) {}
