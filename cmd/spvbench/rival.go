package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// ownPackage is this program; the rival's module is in a folder of its own beside
// the sources.
const ownPackage = "dcrspv/cmd/spvbench"

// buildRival builds the rival from its own module. It takes the sources of this
// program, the go command, and the first time the network.
func (b *bench) buildRival(ctx context.Context) error {
	out, err := exec.CommandContext(ctx, "go", "list", "-f", "{{.Dir}}", ownPackage).Output()
	if err != nil {
		return fmt.Errorf("--dcrwallet works in the sources of the product only: go list %s: %w", ownPackage, err)
	}
	b.progress("building dcrwallet")
	program := filepath.Join(b.work, "dcrwallet")
	cmd := exec.CommandContext(ctx, "go", "build", "-o", program, ".")
	cmd.Dir = filepath.Join(strings.TrimSpace(string(out)), "dcrwallet")
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("building dcrwallet: %w", err)
	}
	b.rival.command = []string{program}
	return nil
}
