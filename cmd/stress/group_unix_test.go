//go:build unix

package main

import (
	"context"
	"io"
	"net"
	"os"
	"strings"
	"testing"
)

// parent is a test that waits for a process of its own.
const parent = `package sample

import (
	"os"
	"os/exec"
	"testing"
)

func TestParent(t *testing.T) {
	if err := exec.Command(os.Args[0], "-test.run=^Test$").Run(); err != nil {
		t.Fatal(err)
	}
}
`

func TestInterruptEndsAllProcesses(t *testing.T) {
	enterSample(t)
	writeFile(t, "sample_test.go", sample)
	writeFile(t, "a_parent_test.go", parent) // its test is run first
	l := listen(t)
	ctx, cancel := context.WithCancel(t.Context())
	conns := make(chan net.Conn, 1)
	go func() {
		defer cancel()
		conn, err := l.Accept()
		if err == nil {
			conns <- conn
		}
	}()
	var out strings.Builder
	status := run(ctx, []string{"--state", "state.json", "--mode", "single", "--rounds", "1"}, &out)
	if status != 1 || strings.Contains(out.String(), "FAIL") {
		t.Errorf("status %d:\n%s", status, &out)
	}
	if _, err := os.Stat("runs"); err != nil {
		t.Fatal(err)
	}
	conn := <-conns
	defer conn.Close()
	if _, err := io.Copy(io.Discard, conn); err != nil {
		t.Logf("the connection of the ended process: %v", err) // reset is as good as closed
	}
}
