//go:build unix

package main

import (
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

// TestDamage: after each class of damage the answers are right, or one line says what is
// wrong.
// Rule 25.
func TestDamage(t *testing.T) {
	// What is built depends on all of the module: a result of other sources must not count.
	err := filepath.WalkDir("../..", func(_ string, _ fs.DirEntry, err error) error { return err })
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if status := run(t.Context(), []string{"-n", "57", "-seed", "1"}, &out); status != 0 {
		t.Errorf("status %d", status)
	}
	t.Log(out.String())
	if strings.Contains(out.String(), "all  0  ") {
		t.Error("nothing was damaged")
	}
}

func TestUsage(t *testing.T) {
	for args, want := range map[string]int{"-h": 0, "-only=nothing": 2, "-n=x": 2} {
		var out strings.Builder
		if status := run(t.Context(), []string{args}, &out); status != want || out.Len() == 0 {
			t.Errorf("%s: status %d, %q", args, status, out.String())
		}
	}
}
