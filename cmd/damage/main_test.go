//go:build unix

package main

import (
	"strings"
	"testing"
)

// TestDamage: after each class of damage the answers are right, or one line says what is
// wrong.
func TestDamage(t *testing.T) {
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
