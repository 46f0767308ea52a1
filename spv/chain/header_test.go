package chain

import (
	"bytes"
	"testing"

	"github.com/decred/dcrd/chaincfg/v3"
	"github.com/decred/dcrd/gcs/v4/blockcf2"
	"github.com/decred/dcrd/wire"
)

// networks are the parameters of all networks that there are.
func networks() []*chaincfg.Params {
	return []*chaincfg.Params{chaincfg.MainNetParams(), chaincfg.TestNet3Params(),
		chaincfg.SimNetParams(), chaincfg.RegNetParams()}
}

// counting is a header whose bytes are all different.
func counting() Header {
	var h Header
	for i := range h {
		h[i] = byte(i + 1)
	}
	return h
}

// checkAgainstWire compares every accessor with the fields that wire decodes.
func checkAgainstWire(t *testing.T, h *Header) {
	t.Helper()
	var w wire.BlockHeader
	if err := w.FromBytes(h[:]); err != nil {
		t.Fatal(err)
	}
	if got := h.Wire(); got != w {
		t.Errorf("Wire:\n got %+v\nwant %+v", got, w)
	}
	if got := HeaderFromWire(&w); got != *h {
		t.Errorf("HeaderFromWire:\n got %x\nwant %x", got, *h)
	}
	if got, want := h.Hash(), w.BlockHash(); got != want {
		t.Errorf("Hash: got %v, want %v", got, want)
	}
	if got, want := h.FilterKey(), blockcf2.Key(&w.MerkleRoot); got != want {
		t.Errorf("FilterKey: got %x, want %x", got, want)
	}
	if got, want := h.Time(), w.Timestamp; !got.Equal(want) {
		t.Errorf("Time: got %v, want %v", got, want)
	}
	if id := h.ID(); id.Height != w.Height || id.Hash != w.BlockHash() {
		t.Errorf("ID: got %v", id)
	}
}

func TestHeaderAgainstWire(t *testing.T) {
	h := counting()
	checkAgainstWire(t, &h)
	checkAgainstWire(t, &Header{})
}

func TestGenesis(t *testing.T) {
	for _, p := range networks() {
		r := NewRules(p)
		h, id := r.Genesis()
		if id != h.ID() || id.Hash != p.GenesisHash || id.Height != 0 {
			t.Errorf("%s: genesis %v, header %v, params %v", p.Name, id, h.ID(), p.GenesisHash)
		}
		if r.Params() != p {
			t.Errorf("%s: other params", p.Name)
		}
	}
}

func TestBlockIDString(t *testing.T) {
	_, id := NewRules(chaincfg.MainNetParams()).Genesis()
	const want = "0 (298e5cc3d985bfe7f81dc135f360abe089edd4396b86d2de66b0cef42b21d980)"
	if id.String() != want {
		t.Errorf("got %s, want %s", id, want)
	}
}

// FuzzCheck feeds arbitrary bytes as headers: accessors must agree with wire, and
// Check must neither panic nor accept what standalone rejects.
// Rule 10.
func FuzzCheck(f *testing.F) {
	m := newMiner(f, simnet())
	m.mineN(3, 1, 0)
	f.Add(bytes.Join([][]byte{m.headers[1][:], m.headers[2][:]}, nil))
	all := counting()
	f.Add(all[:])
	f.Fuzz(func(t *testing.T, data []byte) {
		var headers []Header
		for ; len(data) >= HeaderSize; data = data[HeaderSize:] {
			headers = append(headers, Header(data))
		}
		for i := range headers {
			checkAgainstWire(t, &headers[i])
		}
		b, err := m.r.Check(headers)
		if (err == nil) != (len(b.Headers) == len(headers)) || len(b.Hashes) != len(b.Headers) {
			t.Fatalf("%d of %d headers, %d hashes, error %v", len(b.Headers), len(headers), len(b.Hashes), err)
		}
		for i := range b.Headers {
			w := b.Headers[i].Wire()
			if b.Hashes[i] != w.BlockHash() {
				t.Fatalf("hash %d: %v, want %v", i, b.Hashes[i], w.BlockHash())
			}
			if i > 0 && (w.PrevBlock != b.Hashes[i-1] || w.Height != b.Headers[i-1].Height()+1) {
				t.Fatalf("header %d does not follow", i)
			}
			checkWorkAgainstStandalone(t, m.r, &b.Headers[i])
		}
	})
}
