package realnodes

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"sync"
	"testing"
)

// statusDoc is what dcrspv's sync, run and status print.
type statusDoc struct {
	Network  string `json:"network"`
	Phase    string `json:"phase"`
	Tip      tip    `json:"tip"`
	Filters  span   `json:"filters"`
	Scanned  span   `json:"scanned"`
	Peers    int    `json:"peers"`
	Requests struct {
		Headers int `json:"headers"`
		Filters int `json:"filters"`
		Blocks  int `json:"blocks"`
	} `json:"requests"`
	ReceivedBytes int64 `json:"received_bytes"`
	Synced        bool  `json:"synced"`
}

// span is a range of heights, both ends included.
type span struct {
	From    uint32 `json:"from"`
	Through uint32 `json:"through"`
}

// client is a dcrspv with its files and the nodes it is told to connect to.
// One process of it runs at a time.
type client struct {
	program string
	flags   []string
}

func newClient(t *testing.T, p programs, n *network) *client {
	t.Helper()
	c := &client{program: p.dcrspv, flags: []string{
		"--network", "simnet", "--datadir", t.TempDir(), "--timeout", patience.String(), "--json",
	}}
	for _, addr := range n.P2P {
		c.flags = append(c.flags, "--connect", addr)
	}
	return c
}

// command is a process of the program, not started.
func (c *client) command(args ...string) *exec.Cmd {
	return exec.Command(c.program, append(args, c.flags...)...)
}

// do runs a command to its end and decodes what it prints, if asked for.
func (c *client) do(t *testing.T, doc any, args ...string) {
	t.Helper()
	cmd := c.command(args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("dcrspv %s: %v\n%s%s", args, err, tail(stderr.Bytes()), tail(stdout.Bytes()))
	}
	if doc == nil {
		return
	}
	if err := json.Unmarshal(stdout.Bytes(), doc); err != nil {
		t.Fatalf("dcrspv %s: %v in %s", args, err, stdout.Bytes())
	}
}

// watchAll watches everything the network's truth is about.
func (c *client) watchAll(t *testing.T, n *network) {
	t.Helper()
	c.do(t, nil, append([]string{"watch", n.XPub}, n.Single...)...)
}

// sync runs the command of that name. Afterwards the client is at the tip of
// the node and knows all of its truth. A transaction in the node's mempool is
// part of that: the client must have seen it in a block that is no longer on
// the chain, or have broadcast it.
func (c *client) sync(t *testing.T, n *network, node int) (doc statusDoc) {
	t.Helper()
	c.do(t, &doc, "sync")
	t.Logf("synced to %d: %+v, %d bytes", doc.Tip.Height, doc.Requests, doc.ReceivedBytes)
	c.checkStatus(t, doc, n.tipOf(t, node))
	c.check(t, n.truth(t, node))
	return doc
}

// checkStatus fails the test unless the client was in sync at the tip.
func (c *client) checkStatus(t *testing.T, doc statusDoc, at tip) {
	t.Helper()
	if !doc.Synced || doc.Tip != at || doc.Network != "simnet" ||
		doc.Filters.Through != at.Height || doc.Scanned.Through != at.Height {
		t.Fatalf("status %+v, the node is at %+v", doc, at)
	}
}

// check compares balance, history and coins with the truth, to the atom.
func (c *client) check(t *testing.T, want truth) {
	t.Helper()
	var got truth
	c.do(t, &got.Balance, "balance")
	if want.ignoreMempool {
		want.Balance.Unconfirmed = got.Balance.Unconfirmed
	}
	c.do(t, &got.History, "history")
	c.do(t, &got.Utxos, "utxos")
	if got.Balance != want.Balance {
		t.Errorf("balance %+v, want %+v", got.Balance, want.Balance)
	}
	checkSame(t, "history", got.History, want.History)
	checkSame(t, "utxos", got.Utxos, want.Utxos)
	if t.Failed() {
		t.Fatalf("the client is wrong at %+v", want.Tip)
	}
}

// follower is a process of dcrspv's run command.
type follower struct {
	cmd    *exec.Cmd
	stdout bytes.Buffer
	ended  chan struct{}
	err    error // how it ended; read after ended is closed

	mu     sync.Mutex
	stderr bytes.Buffer
}

// follow starts the run command. It does not outlive the test.
func (c *client) follow(t *testing.T) *follower {
	t.Helper()
	f := &follower{cmd: c.command("run"), ended: make(chan struct{})}
	f.cmd.Stdout, f.cmd.Stderr = &f.stdout, f
	if err := f.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		f.err = f.cmd.Wait()
		close(f.ended)
	}()
	t.Cleanup(func() {
		f.kill()
		if t.Failed() {
			t.Logf("end of dcrspv's log:\n%s", tail(f.log()))
		}
	})
	return f
}

// kill ends the process at once, whatever it is doing.
func (f *follower) kill() {
	f.cmd.Process.Kill()
	<-f.ended
}

// Write takes what the process writes to standard error.
func (f *follower) Write(b []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.stderr.Write(b)
}

func (f *follower) log() []byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	return bytes.Clone(f.stderr.Bytes())
}

// syncedLine is what dcrspv writes whenever it is in sync at another block.
var syncedLine = regexp.MustCompile(`(?m)^synced +block (\d+)`)

// says waits until the process has said something.
func (f *follower) says(t *testing.T, format string, a ...any) {
	t.Helper()
	line := fmt.Sprintf(format, a...)
	eventually(t, "dcrspv says "+strconv.Quote(line), func() bool { return bytes.Contains(f.log(), []byte(line)) })
}

// reaches waits until the process says it is in sync at that height.
func (f *follower) reaches(t *testing.T, at tip) {
	t.Helper()
	eventually(t, "dcrspv in sync at "+strconv.Itoa(int(at.Height)), func() bool {
		select {
		case <-f.ended:
			t.Fatalf("dcrspv run ended: %v", f.err)
		default:
		}
		lines := syncedLine.FindAllSubmatch(f.log(), -1)
		return len(lines) > 0 && string(lines[len(lines)-1][1]) == strconv.Itoa(int(at.Height))
	})
}

// interrupt ends the process as Ctrl-C does and returns what it prints.
func (f *follower) interrupt(t *testing.T) (doc statusDoc) {
	t.Helper()
	if err := f.cmd.Process.Signal(os.Interrupt); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Fatal(err)
	}
	eventually(t, "end of dcrspv run", func() bool {
		select {
		case <-f.ended:
			return true
		default:
			return false
		}
	})
	if f.err != nil {
		t.Fatalf("dcrspv run: %v", f.err)
	}
	if err := json.Unmarshal(f.stdout.Bytes(), &doc); err != nil {
		t.Fatalf("dcrspv run: %v in %s", err, f.stdout.Bytes())
	}
	return doc
}
