package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// ownPackage is this program. The rival's module is in a folder of its own beside the
// sources, and the module of dcrwallet's wallet on a Syncer elsewhere in them.
const ownPackage = "dcrspv/cmd/spvbench"

// buildRivals builds both. It takes the sources of this program, the go command, and the
// first time the network.
func (b *bench) buildRivals(ctx context.Context) error {
	out, err := exec.CommandContext(ctx, "go", "list", "-f", "{{.Dir}}", ownPackage).Output()
	if err != nil {
		return fmt.Errorf("--dcrwallet works in the sources of the product only: go list %s: %w", ownPackage, err)
	}
	own := strings.TrimSpace(string(out))
	if b.rival, err = b.buildClient(ctx, rival, filepath.Join(own, "dcrwallet"), "."); err != nil {
		return err
	}
	b.hybrid, err = b.buildClient(ctx, hybrid, filepath.Join(own, "../../wallet/dcrwallet"), "./internal/benchclient")
	return err
}

// buildClient builds a package of the module in a folder.
func (b *bench) buildClient(ctx context.Context, name, module, pkg string) (c client, err error) {
	b.progress("building " + name)
	program := filepath.Join(b.work, strings.ReplaceAll(name, " ", "-"))
	cmd := exec.CommandContext(ctx, "go", "build", "-o", program, pkg)
	cmd.Dir = module
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	if err := cmd.Run(); err != nil {
		return c, fmt.Errorf("building %s: %w", name, err)
	}
	return client{command: []string{program}}, nil
}
