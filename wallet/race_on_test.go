//go:build race

package wallet

// The race detector makes each case some ten times as long, and what it looks for
// is not in the cases but in what runs at the same time.
const (
	thin   = 6
	worlds = 5
)
