//go:build !windows

package main

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"dcrspv/spv/spvtest"

	"github.com/decred/dcrd/wire"
)

// TestRescanLeavesNoTrace: whenever it may be killed, no file has the addresses that
// were asked for, neither in the data directory nor in that for temporary files; and
// what an earlier program left is removed. On Windows an open file can't be removed.
func TestRescanLeavesNoTrace(t *testing.T) {
	n := newTestNetwork(t, 0)
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	left := filepath.Join(n.dir, "simnet", "rescan-1234", "wallet.db")
	if err := os.MkdirAll(filepath.Dir(left), 0o700); err != nil {
		t.Fatal(err)
	}
	_, script := n.script(n.demo.used[0])
	if err := os.WriteFile(left, script, 0o600); err != nil {
		t.Fatal(err)
	}
	found := func() (files []string) {
		for _, dir := range []string{temp, n.dir} {
			filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
				if err != nil || d.IsDir() {
					return nil // gone meanwhile
				}
				if text, err := os.ReadFile(path); err == nil && bytes.Contains(text, script[3:23]) && d.Name() != "chain.db" {
					files = append(files, path)
				}
				return nil
			})
		}
		return files
	}
	if len(found()) != 1 {
		t.Fatal("nothing is there to be removed")
	}
	var mu sync.Mutex
	looked := 0
	n.addPeer(spvtest.NewPeer(n.demo.chain, spvtest.Behaviour{
		Hook: func(_ *spvtest.Client, msg wire.Message) bool {
			if _, ok := msg.(*wire.MsgGetData); ok {
				mu.Lock()
				defer mu.Unlock()
				looked++
				if files := found(); len(files) > 0 {
					t.Errorf("during the scan: %v", files)
				}
			}
			return false
		},
	}))
	var doc rescanDoc
	if n.json(&doc, "rescan", n.demo.used[0]); len(doc.History) == 0 || looked == 0 {
		t.Errorf("%d transactions, %d looks", len(doc.History), looked)
	}
	if files := found(); len(files) > 0 {
		t.Errorf("after the scan: %v", files)
	}
}
