package main

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"
)

// full is a standard output that takes nothing.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left") }

// A wallet whose seed could not be shown is not left for somebody to be paid at.
func TestSeedNotShown(t *testing.T) {
	dir := t.TempDir()
	p := &program{stdin: strings.NewReader("secret\n"), stdout: full{}, stderr: new(bytes.Buffer)}
	if got := p.run(t.Context(), []string{"--network", "simnet", "--datadir", dir, "create"}); got != statusFailed {
		t.Errorf("status %d, want %d", got, statusFailed)
	}
	if _, err := os.Stat(p.walletPath()); err == nil {
		t.Error("there is a wallet whose seed nobody has seen")
	}
}
