package realnodes

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
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
	goBuild(t, "simnet", p.dcrd, "github.com/decred/dcrd")
	goBuild(t, "simnet", p.driver, ".")
	goBuild(t, "..", p.dcrspv, ".")
	return p
}

// goBuild builds a package as seen from the module of the folder dir.
func goBuild(t *testing.T, dir, program, pkg string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "build", "-C", dir, "-o", program, pkg)
	cmd.Env = append(os.Environ(), "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build of %s in %s: %v\n%s", pkg, dir, err, out)
	}
}
