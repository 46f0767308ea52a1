//go:build !linux

package chaindb

import "go.etcd.io/bbolt"

// readAhead is advice that this system does without.
func readAhead([]byte) {}

func readDone(*bbolt.Tx) {}
