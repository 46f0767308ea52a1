package chain

import (
	"bytes"
	"compress/bzip2"
	"encoding/gob"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/decred/dcrd/wire"
)

// moduleFile reads a file of a module that this one depends on: other projects'
// test data is not copied here.
func moduleFile(t *testing.T, module string, path ...string) []byte {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", module).Output()
	if err != nil {
		t.Fatalf("go list -m %s: %v", module, err)
	}
	data, err := os.ReadFile(filepath.Join(append([]string{strings.TrimSpace(string(out))}, path...)...))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func bunzip2(t *testing.T, data []byte) []byte {
	t.Helper()
	plain, err := io.ReadAll(bzip2.NewReader(bytes.NewReader(data)))
	if err != nil {
		t.Fatal(err)
	}
	return plain
}

// oldSimnetBlocks are the 169 blocks of a simnet chain of 2016 with real work,
// tickets and votes, made under the rules of Decred's launch.
func oldSimnetBlocks(t *testing.T) []*wire.MsgBlock {
	t.Helper()
	raw := bunzip2(t, moduleFile(t, "github.com/decred/dcrd/blockchain/stake/v5", "testdata", "blocks0to168.bz2"))
	var byHeight map[int64][]byte
	if err := gob.NewDecoder(bytes.NewReader(raw)).Decode(&byHeight); err != nil {
		t.Fatal(err)
	}
	blocks := make([]*wire.MsgBlock, len(byHeight))
	for height, data := range byHeight {
		blocks[height] = new(wire.MsgBlock)
		if err := blocks[height].FromBytes(data); err != nil {
			t.Fatalf("block %d: %v", height, err)
		}
	}
	return blocks
}

// mainnetBlock432100 is that block of mainnet, of the blake256 era and soon
// after headers began to commit to filters.
func mainnetBlock432100(t *testing.T) *wire.MsgBlock {
	t.Helper()
	var b wire.MsgBlock
	if err := b.FromBytes(bunzip2(t, moduleFile(t, "github.com/decred/dcrd/txscript/v4", "testdata", "block432100.bz2"))); err != nil {
		t.Fatal(err)
	}
	return &b
}
