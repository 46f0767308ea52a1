package chain

import (
	"testing"

	"github.com/decred/dcrd/chaincfg/v3"
)

func TestEstimatedSupply(t *testing.T) {
	p := chaincfg.MainNetParams()
	n, base, one := p.SubsidyReductionInterval, p.BaseSubsidy, p.BlockOneSubsidy()
	second := base * 100 / 101
	third := second * 100 / 101
	first := one + base*(n-2)
	for _, tt := range []struct{ height, want int64 }{
		{-1, 0}, {0, 0}, {1, one}, {2, one + base}, {3, one + 2*base},
		{n - 1, first}, {n, first + second}, {n + 1, first + 2*second},
		{2*n - 1, first + n*second}, {2 * n, first + n*second + third},
		{1 << 40, newSupply(p).estimate(1 << 41)}, // nothing is paid any more
	} {
		if got := newSupply(p).estimate(tt.height); got != tt.want {
			t.Errorf("height %d: got %d, want %d", tt.height, got, tt.want)
		}
	}
}
