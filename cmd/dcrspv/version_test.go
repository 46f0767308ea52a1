package main

import (
	"encoding/binary"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/decred/dcrd/chaincfg/v3"
	"github.com/decred/dcrd/wire"
	"go.etcd.io/bbolt"
)

// versionOf is the document that version prints.
func versionOf(t *testing.T) (doc versionDoc) {
	t.Helper()
	r := dcrspv(t, "version", "--json")
	if err := json.Unmarshal([]byte(r.stdout), &doc); err != nil || r.status != statusDone || r.stderr != "" {
		t.Fatalf("%+v, %v", r, err)
	}
	return doc
}

// TestVersion: the command and the flag say the same, and each thing that a fault
// report needs is in both forms.
func TestVersion(t *testing.T) {
	for _, args := range [][2][]string{
		{{"version"}, {"--version"}},
		{{"version", "--json"}, {"--version", "--json"}},
		{{"version"}, {"sync", "--version"}},
	} {
		command, flag := dcrspv(t, args[0]...), dcrspv(t, args[1]...)
		if command != flag || command.status != statusDone || command.stderr != "" {
			t.Errorf("%v: %+v\n%v: %+v", args[0], command, args[1], flag)
		}
	}
	doc := versionOf(t)
	if doc.Version != version || doc.Go != runtime.Version() || doc.OS != runtime.GOOS || doc.Arch != runtime.GOARCH {
		t.Errorf("%+v", doc)
	}
	want := "arch,chain_db,commit,go,modified,module,os,protocol,user_agent,version,wallet_db"
	if got := names(t, doc); got != want {
		t.Errorf("the document has %s, want %s", got, want)
	}
	if text := dcrspv(t, "version").stdout; !strings.HasPrefix(text, "dcrspv "+version+"\n") {
		t.Errorf("%q", text)
	}
}

// TestVersionOfABuild: what the go command has written into the program.
func TestVersionOfABuild(t *testing.T) {
	build := &debug.BuildInfo{
		Main: debug.Module{Version: "v0.1.1-0.20260301120000-0123456789ab+dirty"},
		Settings: []debug.BuildSetting{
			{Key: "vcs", Value: "git"},
			{Key: "vcs.revision", Value: "0123456789abcdef0123456789abcdef01234567"},
			{Key: "vcs.modified", Value: "true"},
		},
	}
	clean := &debug.BuildInfo{Main: build.Main, Settings: []debug.BuildSetting{
		build.Settings[1], {Key: "vcs.modified", Value: "false"},
	}}
	for name, c := range map[string]struct {
		build  *debug.BuildInfo
		commit string // line of the text
		module string // likewise
	}{
		"modified": {build, "0123456789abcdef0123456789abcdef01234567, modified", build.Main.Version},
		"clean":    {clean, "0123456789abcdef0123456789abcdef01234567", build.Main.Version},
		"no git":   {&debug.BuildInfo{Main: debug.Module{Version: "(devel)"}}, "unknown", "(devel)"},
		"nothing":  {nil, "unknown", "unknown"},
	} {
		doc := newVersionDoc(c.build)
		if doc.Modified != (name == "modified") || (doc.Commit == "") != (c.commit == "unknown") {
			t.Errorf("%s: %+v", name, doc)
		}
		p, stdout, _ := testProgram(t)
		if err := p.printVersion(doc); err != nil {
			t.Fatal(err)
		}
		for _, line := range []string{"commit      " + c.commit, "module      " + c.module} {
			if !strings.Contains(stdout.String(), "\n"+line+"\n") {
				t.Errorf("%s: no line %q in\n%s", name, line, stdout)
			}
		}
	}
}

// TestVersionNeedsNothing: what is broken may be what the report is about.
func TestVersionNeedsNothing(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, configName), []byte("nonsense\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"version"}, {"--version"}} {
		if r := dcrspv(t, append(args, "--datadir", dir)...); r.status != statusDone || r.stderr != "" {
			t.Errorf("%v: %+v", args, r)
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("%v, %v", entries, err)
	}
}

// TestVersionOfTheFiles: they have the versions that are told.
func TestVersionOfTheFiles(t *testing.T) {
	n := newTestNetwork(t, 1)
	n.dcrspv("status")
	doc := versionOf(t)
	chain, wallet := n.files()
	for file, want := range map[string]uint32{chain: doc.ChainDB, wallet: doc.WalletDB} {
		if got := fileVersion(t, file); got != want {
			t.Errorf("%s has version %d, told is %d", filepath.Base(file), got, want)
		}
	}
}

// fileVersion reads the version of a chain or wallet file.
func fileVersion(t *testing.T, file string) (version uint32) {
	t.Helper()
	db, err := bbolt.Open(file, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.View(func(tx *bbolt.Tx) error {
		version = binary.BigEndian.Uint32(tx.Bucket([]byte("meta")).Get([]byte("version")))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return version
}

// TestVersionThatPeersHear: the program introduces itself as it says it does.
func TestVersionThatPeersHear(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	p, _, stderr := testProgram(t)
	signals, ended := make(chan os.Signal, 2), make(chan int, 1)
	p.signals = signals
	args := []string{"sync", "--network", "simnet", "--datadir", t.TempDir(), "--connect", listener.Addr().String()}
	go func() {
		status := p.run(args)
		listener.Close() // nobody comes any more
		ended <- status
	}()
	conn, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	msg, _, err := wire.ReadMessage(conn, wire.ProtocolVersion, chaincfg.SimNetParams().Net)
	signals <- os.Interrupt
	if <-ended; err != nil {
		t.Fatalf("%v: %s", err, stderr)
	}
	doc := versionOf(t)
	if v, ok := msg.(*wire.MsgVersion); !ok || v.UserAgent != doc.UserAgent || uint32(v.ProtocolVersion) != doc.Protocol {
		t.Errorf("heard %+v, told %+v", msg, doc)
	}
}
