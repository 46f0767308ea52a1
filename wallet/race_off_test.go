//go:build !race

package wallet

// thin is of how many cases the long tests try one; worlds is how many random
// ones there are unless -seeds says otherwise.
const (
	thin   = 1
	worlds = 40
)
