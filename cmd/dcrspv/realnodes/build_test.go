package realnodes

import (
	"errors"
	"path/filepath"
	"testing"

	"dcrspv/cmd/dcrspv/realnodes/driver"
)

// programs are the paths of what the tests run.
type programs struct {
	dcrd   string
	driver string
	dcrspv string
}

// build makes the three programs. Go's build cache makes it quick after the
// first time.
func build(t *testing.T) programs {
	t.Helper()
	dir := t.TempDir()
	p := programs{
		dcrd:   filepath.Join(dir, "dcrd"),
		driver: filepath.Join(dir, "simnet"),
		dcrspv: filepath.Join(dir, "dcrspv"),
	}
	if err := errors.Join(driver.Build(p.dcrd, p.driver), driver.GoBuild("..", p.dcrspv, ".")); err != nil {
		t.Fatal(err)
	}
	return p
}
