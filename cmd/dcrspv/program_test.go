package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// testNow is the clock of the tests. It stands still. Virtual time begins then, so
// that the Syncer agrees on when a ban ends.
var testNow = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// result is what a run of the program left behind.
type result struct {
	status         int
	stdout, stderr string
}

// testProgram is the program in a directory of the test's own, with its output
// in buffers.
func testProgram(t *testing.T) (*program, *bytes.Buffer, *bytes.Buffer) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	home := t.TempDir()
	return &program{
		stdin:     strings.NewReader(""),
		stdout:    &stdout,
		stderr:    &stderr,
		configDir: func() (string, error) { return home, nil },
		homeDir:   func() (string, error) { return home, nil },
		now:       func() time.Time { return testNow },
		force:     func() { panic("forced") },
		demo:      smallDemo,
	}, &stdout, &stderr
}

// dcrspv runs the program in process.
func dcrspv(t *testing.T, args ...string) result {
	t.Helper()
	p, stdout, stderr := testProgram(t)
	status := p.run(args)
	return result{status, stdout.String(), stderr.String()}
}

// wantFailure checks the rules that hold for every failure: the status, one
// line that says what went wrong and what to do, nothing on standard output.
func (r result) wantFailure(t *testing.T, status int, parts ...string) {
	t.Helper()
	if r.status != status {
		t.Errorf("status %d, want %d: %s", r.status, status, r.stderr)
	}
	if r.stdout != "" {
		t.Errorf("standard output is not empty: %q", r.stdout)
	}
	lines := strings.Split(strings.TrimSuffix(r.stderr, "\n"), "\n")
	line := lines[len(lines)-1]
	if !strings.HasPrefix(line, "dcrspv: ") || strings.Count(line, ": ") < 2 || strings.Count(r.stderr, "dcrspv: ") != 1 {
		t.Errorf("not one line with what went wrong and what to do: %q", r.stderr)
	}
	if status == statusUsage && len(lines) != 1 || strings.Contains(r.stderr, "goroutine ") {
		t.Errorf("too many words: %q", r.stderr)
	}
	for _, part := range parts {
		if !strings.Contains(line, part) {
			t.Errorf("%q does not say %q", line, part)
		}
	}
}

const (
	mainAddress   = "DsUZxxoHJSty8DCfwfartwTYbuhmVct7tJu"
	simnetAddress = "Sso52TPnorVkSaRYzHmi4FgU8F5BFEDZsiK"
)

func TestUsageErrors(t *testing.T) {
	for name, c := range map[string]struct {
		args  []string
		parts []string
	}{
		"no command":              {nil, []string{"no command", "--help"}},
		"unknown command":         {[]string{"snyc"}, []string{"snyc", "sync"}},
		"unknown flag":            {[]string{"--fast", "sync"}, []string{"fast"}},
		"unknown flag after":      {[]string{"sync", "--fast"}, []string{"fast", "dcrspv sync --help"}},
		"flag of another command": {[]string{"sync", "--from", "1"}, []string{"from"}},
		"missing value":           {[]string{"sync", "--datadir"}, []string{"datadir"}},
		"bool with value":         {[]string{"--json=maybe", "status"}, []string{"json"}},
		"network":                 {[]string{"--network", "moonnet", "status"}, []string{"moonnet", "simnet"}},
		"max-peers zero":          {[]string{"--max-peers", "0", "status"}, []string{"max-peers"}},
		"max-peers word":          {[]string{"--max-peers", "many", "status"}, []string{"many"}},
		"max-peers too many":      {[]string{"--max-peers", "1000000", "status"}, []string{"125"}},
		"birthday":                {[]string{"--birthday", "yesterday", "status"}, []string{"birthday", "yesterday"}},
		"birthday negative":       {[]string{"--birthday=-1", "status"}, []string{"birthday"}},
		"birthday future":         {[]string{"--birthday", "2999-01-01", "status"}, []string{"future"}},
		"timeout":                 {[]string{"--timeout", "soon", "status"}, []string{"timeout", "90s"}},
		"timeout zero":            {[]string{"--timeout", "0s", "status"}, []string{"timeout"}},
		"timeout negative":        {[]string{"--timeout=-5s", "status"}, []string{"timeout"}},
		"timeout without unit":    {[]string{"--timeout", "5", "status"}, []string{"timeout"}},
		"log level":               {[]string{"--log-level", "loud", "status"}, []string{"loud"}},
		"log subsystem":           {[]string{"--log-level", "NONE=info", "status"}, []string{"NONE"}},
		"connect":                 {[]string{"--connect", "host:port:more", "status"}, []string{"host:port:more"}},
		"connect port":            {[]string{"--connect", "localhost:99999", "status"}, []string{"99999"}},
		"connect empty":           {[]string{"--connect", "", "status"}, nil},
		"proxy":                   {[]string{"--proxy", "localhost", "status"}, []string{"proxy"}},
		"config missing":          {[]string{"--config", "/does/not/exist", "status"}, []string{"--config"}},
		"argument too many":       {[]string{"status", "now"}, []string{"now"}},
		"watch nothing":           {[]string{"watch", "--from", "7"}, []string{"watch", "ADDR"}},
		"watch gap":               {[]string{"watch", "--gap", "wide", mainAddress}, []string{"--gap", "wide"}},
		"watch pubkeys":           {[]string{"watch", "--pubkeys", mainAddress}, []string{"--pubkeys", "extended public key"}},
		"watch gap zero":          {[]string{"watch", "--gap", "0", mainAddress}, []string{"--gap"}},
		"watch gap too wide":      {[]string{"watch", "--gap", "10001", mainAddress}, []string{"--gap", "10000"}},
		"watch script":            {[]string{"watch", strings.Repeat("00", 20_000)}, []string{"script"}},
		"watch label":             {[]string{"watch", "--label", "two\nlines", mainAddress}, []string{"label", "one line"}},
		"label without text":      {[]string{"label", mainAddress}, []string{"TEXT"}},
		"label too much":          {[]string{"label", mainAddress, "two", "words"}, []string{"words"}},
		"label nonsense":          {[]string{"label", "nonsense", "x"}, []string{"nonsense"}},
		"label too long":          {[]string{"label", mainAddress, strings.Repeat("x", 1000)}, []string{"label"}},
		"history last":            {[]string{"history", "--last", "week"}, []string{"--last", "week"}},
		"history last zero":       {[]string{"history", "--last", "0"}, []string{"--last"}},
		"history last unmined":    {[]string{"history", "--last", "1", "--unmined"}, []string{"--last", "--unmined"}},
		"address of no key":       {[]string{"address", mainAddress}, []string{mainAddress}},
		"watch from":              {[]string{"watch", "--from", "never", mainAddress}, []string{"--from"}},
		"watch wrong network":     {[]string{"watch", simnetAddress}, []string{simnetAddress, "simnet"}},
		"watch malformed":         {[]string{"watch", "DsNotAnAddress"}, []string{"DsNotAnAddress"}},
		"unwatch malformed":       {[]string{"unwatch", "nonsense"}, []string{"nonsense"}},
		"rescan malformed":        {[]string{"rescan", "nonsense"}, []string{"nonsense"}},
		"rescan wrong network":    {[]string{"--network", "simnet", "rescan", mainAddress}, []string{mainAddress}},
		"rescan from":             {[]string{"rescan", "--from", "x"}, []string{"--from"}},
		"rescan to":               {[]string{"rescan", "--to", "2024-99-01"}, []string{"--to"}},
		"rescan before birthday":  {[]string{"--birthday", "10", "rescan", "--to", "9"}, []string{"--birthday 10", "--to 9"}},
		"rescan backwards":        {[]string{"rescan", "--from", "10", "--to", "9"}, []string{"--from", "--to"}},
		"broadcast nothing":       {[]string{"broadcast"}, []string{"HEX"}},
		"broadcast not hex":       {[]string{"broadcast", "xyz"}, []string{"hex"}},
		"broadcast half":          {[]string{"broadcast", "0100"}, []string{"transaction"}},
		"broadcast empty input":   {[]string{"broadcast", "-"}, []string{"transaction"}},
		"peers unknown":           {[]string{"peers", "kiss", "1.2.3.4"}, []string{"kiss"}},
		"peers ban nobody":        {[]string{"peers", "ban"}, []string{"HOST"}},
		"peers list somebody":     {[]string{"peers", "list", "x"}, []string{"x"}},
		"peers unban nobody":      {[]string{"peers", "unban"}, []string{"HOST"}},
		"peers reset nobody":      {[]string{"peers", "reset"}, []string{"HOST"}},
		"peers reset bad host":    {[]string{"peers", "reset", "not a host"}, []string{"not a host"}},
		"version of something":    {[]string{"version", "go"}, []string{"version", "go"}},
		"peers export somebody":   {[]string{"peers", "export", "x"}, []string{"x"}},
	} {
		t.Run(name, func(t *testing.T) {
			dcrspv(t, c.args...).wantFailure(t, statusUsage, c.parts...)
		})
	}
}

func TestHelp(t *testing.T) {
	all := dcrspv(t, "--help")
	if all.status != statusDone || all.stderr != "" {
		t.Fatalf("status %d, %q", all.status, all.stderr)
	}
	for _, c := range commands {
		if !strings.Contains(all.stdout, "\n  "+c.name+" ") {
			t.Errorf("the help does not mention %s", c.name)
		}
		for _, args := range [][]string{{c.name, "--help"}, {"-h", c.name}} {
			r := dcrspv(t, args...)
			if r.status != statusDone || r.stderr != "" || !strings.Contains(r.stdout, "dcrspv [OPTIONS] "+c.name) ||
				!strings.Contains(r.stdout, "Examples:") {
				t.Errorf("%v: %+v", args, r)
			}
			wantNarrow(t, r.stdout)
		}
		if len(c.examples) == 0 || c.short == "" || c.long == "" {
			t.Errorf("%s is not explained", c.name)
		}
	}
	for _, flag := range []string{
		"--network", "--datadir", "--config", "--connect", "--proxy", "--max-peers",
		"--birthday", "--timeout", "--log-level", "--no-relay", "--json", "--version", "--help",
	} {
		if !strings.Contains(all.stdout, flag+" ") && !strings.Contains(all.stdout, flag+"\n") {
			t.Errorf("the help does not mention %s", flag)
		}
	}
	wantNarrow(t, all.stdout)
}

// wantNarrow checks that a help fits on every terminal.
func wantNarrow(t *testing.T, text string) {
	t.Helper()
	for line := range strings.SplitSeq(text, "\n") {
		if len(line) > columns || strings.TrimRight(line, " ") != line {
			t.Errorf("%d columns: %q", len(line), line)
		}
	}
}

// TestGlobalFlagsBeforeAndAfter also covers the configuration file: what the
// command line says wins.
func TestGlobalFlagsBeforeAndAfter(t *testing.T) {
	dir := t.TempDir()
	config := filepath.Join(dir, configName)
	text := "; of the test\nnetwork = simnet\nconnect = 127.0.0.1:1\nconnect = 127.0.0.1:2\nmax-peers = 3\njson = true\ntimeout = 7s\n"
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		args    []string
		network string
		connect []string
		peers   int
		json    bool
	}{
		"before":      {[]string{"--network", "testnet", "--connect", "::1", "status"}, "testnet", []string{"[::1]:19108"}, 8, false},
		"after":       {[]string{"status", "--network", "regnet", "--max-peers=5", "--json"}, "regnet", nil, 5, true},
		"config":      {[]string{"status", "--config", config}, "simnet", []string{"127.0.0.1:1", "127.0.0.1:2"}, 3, true},
		"datadir":     {[]string{"--datadir", dir, "status"}, "simnet", []string{"127.0.0.1:1", "127.0.0.1:2"}, 3, true},
		"config lost": {[]string{"--datadir", dir, "status", "--connect", "[::1]:9", "--max-peers", "8"}, "simnet", []string{"[::1]:9"}, 8, true},
	} {
		t.Run(name, func(t *testing.T) {
			p, _, _ := testProgram(t)
			cmd, err := p.parse(c.args)
			if err != nil {
				t.Fatal(err)
			}
			s, err := p.settings(cmd)
			if err != nil {
				t.Fatal(err)
			}
			if networkName(s.params) != c.network || s.maxPeers != c.peers || p.opts.JSON != c.json ||
				strings.Join(s.connect, " ") != strings.Join(c.connect, " ") {
				t.Fatalf("%s %v %d %v", networkName(s.params), s.connect, s.maxPeers, p.opts.JSON)
			}
			if filepath.Base(s.dir) != c.network {
				t.Fatalf("directory %s", s.dir)
			}
		})
	}
}

func TestConfigFileErrors(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"unknown name":   "speed = 11\n",
		"not an ini":     "network simnet\n",
		"section":        "[other]\nnetwork = simnet\n",
		"value":          "max-peers = none\n",
		"config itself":  "config = other.conf\n",
		"help":           "help = true\n",
		"command's flag": "from = 7\n",
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(dir, "test.conf")
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			dcrspv(t, "--config", file, "status").wantFailure(t, statusUsage)
		})
	}
}

func TestDefaultDirectories(t *testing.T) {
	p, _, _ := testProgram(t)
	p.configDir = func() (string, error) { return "/config", nil }
	if dir, err := p.dataDir(); err != nil || dir != filepath.FromSlash("/config/dcrspv") {
		t.Errorf("%s, %v", dir, err)
	}
	p.configDir = func() (string, error) { return "", errors.New("no HOME") }
	p.homeDir = func() (string, error) { return "/home/alice", nil }
	if dir, err := p.dataDir(); err != nil || dir != filepath.FromSlash("/home/alice/.dcrspv") {
		t.Errorf("%s, %v", dir, err)
	}
	p.homeDir = p.configDir
	if _, err := p.dataDir(); userError(err).status != statusUsage {
		t.Errorf("no home: %v", err)
	}
}

func TestOneLine(t *testing.T) {
	for s, want := range map[string]string{
		"plain":              "plain",
		"two\nlines\r\n":     "two lines",
		"\x1b[31mred\x00\t.": "[31mred .",
		"äöü ✓":              "äöü ✓",
		"bad \xff\xfe utf":   "bad \ufffd\ufffd utf",
	} {
		if got := oneLine(s); got != want {
			t.Errorf("%q: %q, want %q", s, got, want)
		}
	}
}

// TestOutputThatCannotBeWritten: a closed pipe is a failure, not a panic.
func TestOutputThatCannotBeWritten(t *testing.T) {
	p, _, stderr := testProgram(t)
	p.stdout = failingWriter{}
	if status := p.run([]string{"--help"}); status != statusFailed {
		t.Errorf("status %d, %s", status, stderr)
	}
}

type failingWriter struct{}

func (failingWriter) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }
