package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestSystemLimits: a limit of the system on files ends a sync with one line that says
// what to raise, and without it the next one goes on.
// Rule 24.
func TestSystemLimits(t *testing.T) {
	n := newTestNetwork(t, 1)
	n.dcrspv("watch", n.demo.xpub)
	for limit, parts := range map[string][]string{
		"ulimit -f 300": {"chain.db", "file too large", "ulimit -f", "nothing is lost"}, // in units of 512 or 1024 bytes
		"ulimit -n 8":   {"too many open files", "ulimit -n"},                           // with less Go itself does not start
	} {
		cmd := exec.CommandContext(t.Context(), "sh", append([]string{"-c", limit + ` && exec "$0" "$@"`, os.Args[0]}, n.args("sync", "--timeout", "15s")...)...)
		cmd.Env = append(os.Environ(), asProgram+"=1")
		var stdout, stderr strings.Builder
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		if err := cmd.Run(); err == nil {
			t.Fatalf("%s: %s", limit, &stdout)
		}
		result{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}.wantFailure(t, cmd.ProcessState.ExitCode(), parts...)
	}
	n.dcrspv("sync")
	n.dcrspv("verify")
}
