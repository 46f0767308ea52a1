package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dcrspv/wallet"
)

// readme returns README.md and the code blocks of a language in it.
func readme(t *testing.T, language string) (text string, blocks []string) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	text = string(raw)
	for i, part := range strings.Split(text, "```") {
		if name, code, _ := strings.Cut(part, "\n"); i%2 == 1 && name == language {
			blocks = append(blocks, code)
		}
	}
	return text, blocks
}

// TestReadmeIsComplete: every command, every JSON field and the two lines that
// do everything are in the README, and its configuration file works.
func TestReadmeIsComplete(t *testing.T) {
	text, _ := readme(t, "")
	for _, c := range commands {
		if !strings.Contains(text, "`"+c.name+"`") && !strings.Contains(text, "dcrspv "+c.name) {
			t.Errorf("the README does not mention %s", c.name)
		}
	}
	for _, line := range []string{"go run ./cmd/dcrspv demo", "go run ./cmd/dcrspv sync", "go test ./..."} {
		if !strings.Contains(text, "\n"+line) {
			t.Errorf("the README has no line %q", line)
		}
	}
	docs := []any{
		statusDoc{Trouble: &troubleDoc{}, Warnings: []warningDoc{{}}}, newKindsDoc(wallet.Balance{}), []entryDoc{{}}, []unminedDoc{{Inputs: []inputDoc{{}}, Outputs: []outputDoc{{}}}}, []utxoDoc{{}}, []peerDoc{{History: []peerEventDoc{{}}}}, []labelDoc{{}},
		addressDoc{}, watchDoc{[]watchedDoc{{}}}, broadcastDoc{}, dropDoc{}, demoDoc{}, versionDoc{},
	}
	for _, doc := range docs {
		words := strings.FieldsFunc(names(t, doc), func(r rune) bool { return strings.ContainsRune("{}[],", r) })
		for _, word := range slices.Compact(words) {
			if !strings.Contains(text, word) {
				t.Errorf("the README does not mention %s of %T", word, doc)
			}
		}
	}

	_, configs := readme(t, "ini")
	if len(configs) != 1 {
		t.Fatalf("%d configuration files in the README", len(configs))
	}
	file := filepath.Join(t.TempDir(), "example.conf")
	if err := os.WriteFile(file, []byte(configs[0]), 0o600); err != nil {
		t.Fatal(err)
	}
	p, _, _ := testProgram(t)
	cmd, err := p.parse([]string{"status", "--config", file})
	if err != nil {
		t.Fatal(err)
	}
	if s, err := p.settings(cmd); err != nil || len(s.connect) != 2 || s.birthday == nil {
		t.Errorf("%+v, %v", s, err)
	}
}
