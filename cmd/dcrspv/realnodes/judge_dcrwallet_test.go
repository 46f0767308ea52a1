package realnodes

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/decred/dcrd/dcrutil/v4"
)

// dcrwallet is a running dcrwallet that votes, with keys of its own, connected
// to the first node. Its methods fail the test when it refuses, and panic with errHung when
// it does not answer.
type dcrwallet struct {
	addr string
	log  string
	http http.Client
	kept map[string]string // account by address; "" is somebody else's
	hung bool              // it has not answered
}

// errHung: dcrwallet has not answered a call for a minute. Now and then it locks itself up
// while it buys tickets, which says nothing of the light client.
var errHung = errors.New("dcrwallet does not answer")

var listening = regexp.MustCompile(`RPCS: Listening on (\S+)`)

// startWallet makes a wallet and runs it until the test ends.
func startWallet(t *testing.T, program string, n *network) *dcrwallet {
	t.Helper()
	dir := t.TempDir()
	w := &dcrwallet{log: filepath.Join(dir, "log"), kept: make(map[string]string)}
	w.http.Timeout = patience
	log, err := os.Create(w.log)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	// dcrwallet shuts down when this pipe closes, which the kernel does for a
	// test that was killed.
	r, life, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cmd := exec.Command(program, "--simnet", "--appdata="+dir, "--createtemp", "--pass=password", "--enablevoting",
		"--rpcconnect="+n.RPC[0], "--username=simnet", "--password=simnet", "--noclienttls",
		"--rpclisten=127.0.0.1:0", "--noservertls", "--nogrpc", "--nofilelogging", "--piperx=3")
	cmd.Stdout, cmd.Stderr = log, log
	cmd.ExtraFiles = []*os.File{r}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		life.Close()
		if w.hung {
			cmd.Process.Kill()
			<-ended
			return
		}
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("dcrwallet: %v", err)
			}
		case <-time.After(patience):
			cmd.Process.Kill()
			<-ended
			t.Error("dcrwallet does not end by itself")
		}
		if t.Failed() {
			t.Logf("end of dcrwallet's log:\n%s", tail(w.said()))
		}
	})
	// A block that comes during its first sync it does not see.
	eventually(t, "dcrwallet in sync", func() bool { return bytes.Contains(w.said(), []byte("ready for general usage")) })
	found := listening.FindSubmatch(w.said())
	if found == nil {
		t.Fatal("dcrwallet does not listen")
	}
	w.addr = string(found[1])
	return w
}

// said is its log.
func (w *dcrwallet) said() []byte {
	log, _ := os.ReadFile(w.log)
	return log
}

// call decodes the result of a call, if asked for.
func (w *dcrwallet) call(t *testing.T, result any, method string, params ...any) {
	t.Helper()
	err := w.try(result, method, params...)
	if w.hung = os.IsTimeout(err); w.hung {
		t.Logf("dcrwallet has locked itself up in %s; the end of its log:\n%s", method, tail(w.said()))
		panic(errHung)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func (w *dcrwallet) try(result any, method string, params ...any) error {
	if params == nil {
		params = []any{}
	}
	body, err := json.Marshal(args{"jsonrpc": "1.0", "id": 1, "method": method, "params": params})
	if err != nil {
		return err
	}
	req, err := http.NewRequest(http.MethodPost, "http://"+w.addr, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.SetBasicAuth("simnet", "simnet")
	resp, err := w.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	var reply struct {
		Result json.RawMessage
		Error  *struct{ Message string }
	}
	if err := json.NewDecoder(resp.Body).Decode(&reply); err != nil {
		return fmt.Errorf("dcrwallet %s: %s: %w", method, resp.Status, err)
	}
	if reply.Error != nil {
		return fmt.Errorf("dcrwallet %s %v: %s", method, params, reply.Error.Message)
	}
	if result == nil {
		return nil
	}
	return json.Unmarshal(reply.Result, result)
}

// owner is the account of an address; "" is somebody else's.
func (w *dcrwallet) owner(t *testing.T, addr string) string {
	t.Helper()
	if account, ok := w.kept[addr]; ok {
		return account
	}
	var v struct {
		IsMine  bool   `json:"ismine"`
		Account string `json:"account"`
	}
	w.call(t, &v, "validateaddress", addr)
	if !v.IsMine {
		v.Account = ""
	}
	w.kept[addr] = v.Account
	return v.Account
}

// publicKey is the key of one of its addresses, in hexadecimal.
func (w *dcrwallet) publicKey(t *testing.T, addr string) string {
	t.Helper()
	var v struct {
		PubKey string `json:"pubkey"`
	}
	w.call(t, &v, "validateaddress", addr)
	return v.PubKey
}

// address is a fresh one of an account. It wraps around rather than leave what a
// restored wallet would find.
func (w *dcrwallet) address(t *testing.T, account string) (addr string) {
	t.Helper()
	w.call(t, &addr, "getnewaddress", account, "wrap")
	return addr
}

// atoms is an amount as dcrwallet's JSON has it.
func atoms(t *testing.T, coins float64) int64 {
	t.Helper()
	a, err := dcrutil.NewAmount(coins)
	if err != nil {
		t.Fatal(err)
	}
	return int64(a)
}
