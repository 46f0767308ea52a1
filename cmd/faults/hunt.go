package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// hunt is the search for one fault after the other.
type hunt struct {
	root   string // of the module
	work   string // a directory for what is built
	seeds  uint64 // of sieges, at most
	enough int    // sieges that find it
}

// result is what came of a search.
type result struct {
	runs  int
	found []uint64 // seeds; 0 where there is none
}

func (r result) String() string {
	switch {
	case len(r.found) == 0:
		return fmt.Sprintf("NOT FOUND in %d", r.runs)
	case r.found[0] == 0:
		return "found"
	}
	return fmt.Sprintf("found by %d of %d seeds: %v", len(r.found), r.runs, r.found)
}

// search builds the tests that find a fault, with it in the code, and runs them:
// sieges seed by seed.
func (h *hunt) search(ctx context.Context, f *fault) (r result, err error) {
	binary, err := h.build(ctx, f)
	if err != nil {
		return r, err
	}
	defer os.Remove(binary)
	first, last := uint64(0), uint64(0)
	if strings.HasPrefix(f.tests, "TestSiege") {
		first, last = 1, h.seeds
	}
	for seed := first; seed <= last && len(r.found) < h.enough; seed++ {
		args := []string{"-test.run", "^" + f.tests + "$"}
		if seed > 0 {
			args = append(args, "-adversary-seed", strconv.FormatUint(seed, 10))
		} else {
			args = append(args, "-test.count", "5", "-test.failfast") // some of it is chance
		}
		cmd := exec.CommandContext(ctx, binary, args...)
		cmd.Dir = filepath.Join(h.root, f.pkg)
		err := cmd.Run()
		if err := ctx.Err(); err != nil {
			return r, err
		}
		r.runs++
		if errors.As(err, new(*exec.ExitError)) {
			r.found = append(r.found, seed)
		} else if err != nil {
			return r, err
		}
	}
	return r, nil
}

// build returns the test binary of the package that finds a fault.
func (h *hunt) build(ctx context.Context, f *fault) (binary string, err error) {
	files, err := f.patched(h.root)
	if err != nil {
		return "", err
	}
	overlay := make(map[string]string)
	for name, text := range files {
		file := filepath.Join(h.work, f.name+"-"+filepath.Base(name))
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			return "", err
		}
		overlay[filepath.Join(h.root, name)] = file
	}
	text, err := json.Marshal(map[string]any{"Replace": overlay})
	if err != nil {
		return "", err
	}
	list, binary := filepath.Join(h.work, f.name+".json"), filepath.Join(h.work, f.name+".test")
	if err := os.WriteFile(list, text, 0o600); err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, "go", "test", "-c", "-overlay", list, "-o", binary, "./"+f.pkg)
	cmd.Dir = h.root
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%s: %w\n%s", f.name, err, out)
	}
	return binary, nil
}
