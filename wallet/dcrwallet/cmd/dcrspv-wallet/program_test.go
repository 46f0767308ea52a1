package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"dcrspv/spv"
	"dcrspv/wallet/dcrwallet/internal/simnet"

	"github.com/decred/dcrd/chaincfg/v3"
)

func TestMain(m *testing.M) {
	code := m.Run()
	simnet.Clean()
	os.Exit(code)
}

// user runs the program with a data directory and nodes.
type user struct {
	dir   string
	peers []string
}

// runs runs a command, with lines of standard input, and returns what it prints.
func (u user) runs(t *testing.T, status int, lines string, args ...string) string {
	t.Helper()
	var out bytes.Buffer
	all := append([]string{"--network", "simnet", "--datadir", u.dir, "--timeout", simnet.Patience.String()}, args...)
	for _, peer := range u.peers {
		all = append(all, "--connect", peer)
	}
	p := &program{stdin: strings.NewReader(lines), stdout: &out, stderr: &out}
	if got := p.run(t.Context(), all); got != status {
		t.Fatalf("%q ended with %d, want %d:\n%s", args, got, status, out.Bytes())
	}
	return out.String()
}

// says fails unless a text has a part.
func says(t *testing.T, text, part string) {
	t.Helper()
	if !strings.Contains(text, part) {
		t.Fatalf("no %q in:\n%s", part, text)
	}
}

var words = regexp.MustCompile(`(?m)^([a-zA-Z]+ ){2,5}[a-zA-Z]+$`)

// A user makes a wallet, is paid, pays, buys a ticket, and restores it elsewhere.
func TestProgram(t *testing.T) {
	n := simnet.Start(t, 2, 150)
	u := user{t.TempDir(), n.P2P}
	made := u.runs(t, 0, "secret\n", "create")
	seed := strings.Join(words.FindAllString(made, -1), " ")
	if len(strings.Fields(seed)) != 33 {
		t.Fatalf("the seed is %q of:\n%s", seed, made)
	}
	u.runs(t, 0, "secret\n", "sync")
	addr := strings.TrimSpace(u.runs(t, 0, "", "address"))
	n.Pay(t, addr, 30*simnet.Coin)
	n.Mine(t, 1)
	says(t, u.runs(t, 0, "", "sync"), "in sync at block 151")
	says(t, u.runs(t, 0, "", "balance"), "default  30.00000000")

	sent := u.runs(t, 0, "secret\n", "send", n.External[0], "4.5")
	says(t, sent, "nodes have it")
	n.Arrives(t, regexp.MustCompile(`[0-9a-f]{64}`).FindString(sent))
	n.Mine(t, 1)
	u.runs(t, 0, "", "sync")
	says(t, u.runs(t, 0, "", "balance"), "default  25.49")
	says(t, u.runs(t, 0, "", "history"), "152  -4.50")

	bought := u.runs(t, 0, "secret\n", "ticket", "--count", "2")
	if got := strings.Count(bought, "\nticket "); got != 2 {
		t.Fatalf("%d tickets:\n%s", got, bought)
	}
	n.Mine(t, 2)
	n.Mine(t, 1)
	u.runs(t, 0, "", "sync")
	balance := u.runs(t, 0, "", "balance")
	says(t, balance, "0.0004")

	restored := user{t.TempDir(), n.P2P}
	restored.runs(t, 0, "other\n"+seed+"\n", "restore", "--birthday", "100")
	restored.runs(t, 0, "other\n", "sync")
	if got := restored.runs(t, 0, "", "balance"); got != balance {
		t.Fatalf("restored it has\n%s, not\n%s", got, balance)
	}
	says(t, u.runs(t, statusFailed, "", "address", "--account", "savings"), "see balance for the names")
	says(t, u.runs(t, statusFailed, "wrong\n", "send", n.External[0], "1"), "wrong passphrase")
	says(t, u.runs(t, statusFailed, "secret\n", "send", n.External[0], "1000"), "see balance")
	watching := user{t.TempDir(), n.P2P}
	watching.runs(t, 0, "", "watch", n.XPub)
	watching.runs(t, 0, "", "sync")
	says(t, watching.runs(t, 0, "", "balance"), "default  4.50000000")
	says(t, watching.runs(t, statusFailed, "", "send", addr, "1"), "restore it from its seed")
}

// What can go wrong says what to do.
func TestFailures(t *testing.T) {
	u := user{dir: t.TempDir()}
	for _, c := range []struct {
		status      int
		lines, args string
		says        string
	}{
		{statusFailed, "", "balance", "make one with create"},
		{statusFailed, "", "create", "no passphrase"},
		{statusFailed, "secret\nno seed\n", "restore", "give the words"},
		{statusUsage, "", "restore --birthday yesterday", "YYYY-MM-DD"},
		{statusUsage, "", "fly", "no command"},
		{statusUsage, "", "send", "ADDRESS DCR"},
		{statusUsage, "", "send DsUZxxoHJSty8DCfwfartwTYbuhmVct7tJu 0", "no amount"},
		{statusUsage, "", "send DsUZxxoHJSty8DCfwfartwTYbuhmVct7tJu 1", "no address of simnet"},
		{statusUsage, "", "sync --colour", "colour"},
		{statusUsage, "", "sync --network moon", "mainnet, testnet or simnet"},
		{0, "secret\n", "create", "seed"},
		{statusFailed, "secret\n", "create", "already"},
		{statusFailed, "wrong\n", "sync", "wrong passphrase"},
		{statusNotSynced, "secret\n", "sync --timeout 1s --connect 127.0.0.1:1", "not in sync"},
		{statusFailed, "", "address", "run sync first"},
	} {
		says(t, u.runs(t, c.status, c.lines, strings.Fields(c.args)...), c.says)
	}
	s, err := spv.New(spv.Config{Params: chaincfg.SimNetParams(), DataDir: filepath.Join(u.dir, "simnet")})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	says(t, u.runs(t, statusFailed, "", "balance"), "end the other program")
}

// Each command has a help.
func TestHelp(t *testing.T) {
	for _, c := range commands() {
		says(t, user{}.runs(t, 0, "", c.name, "--help"), c.long)
	}
	says(t, user{}.runs(t, 0, ""), "Commands:")
}
