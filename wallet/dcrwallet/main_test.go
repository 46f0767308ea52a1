package dcrwallet

import (
	"os"
	"testing"

	"dcrspv/wallet/dcrwallet/internal/simnet"
)

func TestMain(m *testing.M) {
	code := m.Run()
	simnet.Clean()
	os.Exit(code)
}
