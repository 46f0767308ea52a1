// Package driver starts the program in the folder simnet beside it, which drives a private
// network of dcrd nodes, and has it carry out commands. It is for tests: here, and in the
// modules of this repository that need real nodes too.
package driver

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"
)

// startPatience bounds the wait for a network with its first blocks.
const startPatience = 3 * time.Minute

// Args are the fields of a command beside its name: see simnet/command.go.
type Args map[string]any

// Driver is a running network. Its methods fail the test when the network does not do what
// they ask. It carries out one command at a time.
type Driver struct {
	mu     sync.Mutex
	in     io.WriteCloser
	out    *bufio.Reader
	stderr bytes.Buffer
}

// Build builds dcrd and the driver program, both from the module of the latter. Go's build
// cache makes it quick after the first time.
func Build(dcrd, program string) error {
	_, file, _, _ := runtime.Caller(0)
	for out, pkg := range map[string]string{dcrd: "github.com/decred/dcrd", program: "."} {
		if err := GoBuild(filepath.Join(filepath.Dir(file), "../simnet"), out, pkg); err != nil {
			return err
		}
	}
	return nil
}

// GoBuild builds a package as seen from the module of the folder dir.
func GoBuild(dir, program, pkg string) error {
	cmd := exec.Command("go", "build", "-C", dir, "-o", program, pkg)
	cmd.Env = append(cmd.Environ(), "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build of %s in %s: %w\n%s", pkg, dir, err, out)
	}
	return nil
}

// Start starts a network, and decodes what the driver says of it. It ends with the test, and
// ended is called then.
func Start(t *testing.T, program string, description any, ended func(), flags ...string) *Driver {
	t.Helper()
	d := new(Driver)
	cmd := exec.Command(program, flags...)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = &d.stderr
	d.in, d.out = in, bufio.NewReader(out)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close() // the driver takes it as the order to end
		err := cmd.Wait()
		ended()
		if err != nil {
			t.Errorf("simnet driver: %v\n%s", err, d.stderr.Bytes())
		}
	})
	slow := time.AfterFunc(startPatience, func() { cmd.Process.Kill() })
	defer slow.Stop()
	d.answer(t, "start", description)
	return d
}

// Do has a command carried out, and decodes its result unless that is nil.
func (d *Driver) Do(t *testing.T, cmd string, a Args, result any) {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	line := Args{"cmd": cmd}
	for k, v := range a {
		line[k] = v
	}
	raw, err := json.Marshal(line)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.in.Write(append(raw, '\n')); err != nil {
		t.Fatalf("%s: %v", cmd, err)
	}
	d.answer(t, cmd, result)
}

func (d *Driver) answer(t *testing.T, cmd string, result any) {
	t.Helper()
	line, err := d.out.ReadBytes('\n')
	if err != nil {
		t.Fatalf("%s: the simnet driver ended: %v", cmd, err)
	}
	var a struct {
		Result json.RawMessage
		Error  string
	}
	if err := json.Unmarshal(line, &a); err != nil {
		t.Fatalf("%s: %v in %q", cmd, err, line)
	}
	if a.Error != "" {
		t.Fatalf("%s: %s", cmd, a.Error)
	}
	if result != nil {
		if err := json.Unmarshal(a.Result, result); err != nil {
			t.Fatalf("%s: %v in %q", cmd, err, line)
		}
	}
}
