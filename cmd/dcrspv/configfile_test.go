package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestConfigFileOfOthers: a byte order mark, lines as Windows ends them and dcrd's
// heading are no reason to refuse a file.
func TestConfigFileOfOthers(t *testing.T) {
	for name, text := range map[string]string{
		"byte order mark": "\ufeffnetwork = simnet\n",
		"dcrd":            "[Application Options]\n\nnetwork=simnet\n",
		"dcrd lower case": "; of dcrd\n[application options]\nnetwork=simnet\n",
		"Windows":         "\ufeff[Application Options]\r\nnetwork=simnet\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "test.conf")
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			p, _, _ := testProgram(t)
			if _, err := p.parse([]string{"status", "--config", file}); err != nil || p.opts.Network != "simnet" {
				t.Errorf("network %q, %v", p.opts.Network, err)
			}
		})
	}
}

// TestConfigErrorNamesTheLine, in the file as it is.
func TestConfigErrorNamesTheLine(t *testing.T) {
	file := filepath.Join(t.TempDir(), "test.conf")
	if err := os.WriteFile(file, []byte("\ufeff[Application Options]\n\nnetwork simnet\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	dcrspv(t, "--config", file, "status").wantFailure(t, statusUsage, file+":3")
}

// TestHomeDirectory: ~ is the home directory, in flags and in the file.
func TestHomeDirectory(t *testing.T) {
	p, stdout, stderr := testProgram(t)
	home, _ := p.homeDir()
	if err := os.Mkdir(filepath.Join(home, "coins"), 0o700); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(home, "my.conf")
	if err := os.WriteFile(file, []byte("network = simnet\ndatadir = ~/coins\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if status := p.run([]string{"status", "--config=~/my.conf"}); status != statusDone {
		t.Fatalf("status %d: %s", status, stderr)
	}
	if dir := filepath.Join(home, "coins", "simnet"); !strings.Contains(stdout.String(), dir) {
		t.Errorf("%s, not in %s", stdout, dir)
	}
	for given, want := range map[string]string{"~": home, "~/x": home + "/x", "x~": "x~", "./~": "./~"} {
		if got, err := p.inHome("--datadir", given); err != nil || got != want {
			t.Errorf("%s: %s, %v", given, got, err)
		}
	}
	dcrspv(t, "--datadir", "~alice/coins", "status").wantFailure(t, statusUsage, "--datadir", "in full", "./~alice")
}
