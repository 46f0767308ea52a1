package spv

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"dcrspv/filters"
	"dcrspv/spv/chain"
	"dcrspv/spv/internal/chaindb"
	"dcrspv/spv/internal/scan"
	"dcrspv/spv/spvtest"
)

// TestScanTellsOfDamage: whether a block is disapproved is in the header
// above. That this one can't be read does not mean that it is not.
// Rule 25.
func TestScanTellsOfDamage(t *testing.T) {
	script := spvtest.Script(1)
	c := spvtest.NewChain(nil)
	c.Mine(248)
	c.MineBlock(c.Pay(script, 1e8)) // 249, the last of its segment
	c.Mine(200)
	path := filepath.Join(t.TempDir(), ChainFile)
	db, err := chaindb.Open(path, c.Rules())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var headers []chain.Header
	var stored [][]byte
	for h := uint32(1); h <= c.Height(); h++ {
		headers, stored = append(headers, c.Header(h)), append(stored, c.Filter(h))
	}
	_, work := db.Tip()
	if err := errors.Join(db.ReplaceHeaders(0, headers, work), db.PutFilters(1, stored)); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	header := c.Header(300)
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = file.WriteAt([]byte{header[0] ^ 1}, int64(bytes.Index(content, header[:])))
	if err := errors.Join(err, file.Close()); err != nil {
		t.Fatal(err)
	}
	wanted := []scan.Request{{Range: chain.Range{From: 0, To: 249}, Query: filters.NewQuery([][]byte{script})}}
	res, err := scan.Run(t.Context(), scanSource{db}, wanted)
	var d *chaindb.Damage
	if !errors.As(err, &d) {
		t.Errorf("%d blocks, %v", len(res.Matches), err)
	}
}
