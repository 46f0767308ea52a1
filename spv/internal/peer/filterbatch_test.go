package peer

import (
	"bytes"
	"errors"
	"reflect"
	"testing"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/wire"
)

// batchOf is the payload of a message with filters of these sizes.
func batchOf(t testing.TB, proof int, sizes ...int) []byte {
	t.Helper()
	msg := new(wire.MsgCFiltersV2)
	for i, size := range sizes {
		msg.CFilters = append(msg.CFilters, wire.MsgCFilterV2{
			BlockHash:   chainhash.Hash{byte(i), 1},
			Data:        bytes.Repeat([]byte{byte(i + 1)}, size),
			ProofIndex:  uint32(proof),
			ProofHashes: make([]chainhash.Hash, proof),
		})
	}
	var b bytes.Buffer
	if err := msg.BtcEncode(&b, wire.BatchedCFiltersV2Version); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// checkParseFilters compares with the wire package.
func checkParseFilters(t *testing.T, payload []byte) {
	t.Helper()
	sent := bytes.Clone(payload)
	got, err := parseFilters(payload)
	if err != nil && !errors.Is(err, ErrProtocol) {
		t.Fatalf("error without a kind: %v", err)
	}
	want := new(wire.MsgCFiltersV2)
	r := bytes.NewBuffer(sent)
	wireErr := want.BtcDecode(r, wire.BatchedCFiltersV2Version)
	if wireErr == nil && r.Len() > 0 {
		wireErr = errors.New("trailing bytes")
	}
	if (err == nil) != (wireErr == nil) {
		t.Fatalf("we say %v, wire says %v", err, wireErr)
	}
	clear(payload) // the reader uses that memory again
	if err == nil && !reflect.DeepEqual(got, want) {
		t.Fatalf("we read %+v, wire reads %+v", got, want)
	}
}

// parseFilters takes exactly what the wire package takes: messages cut off anywhere, with
// each byte changed, and with each number in a longer form.
func TestParseFilters(t *testing.T) {
	all := make([]int, wire.MaxCFiltersV2PerBatch)
	for _, payload := range [][]byte{
		batchOf(t, 0), batchOf(t, 0, 0, 1, 252, 253, 300), batchOf(t, 2, 5, 6), batchOf(t, wire.MaxHeaderProofHashes, 1),
		batchOf(t, 0, all...),
	} {
		for i := range len(payload) + 1 {
			checkParseFilters(t, bytes.Clone(payload[:i]))
		}
		for i := range payload {
			for _, b := range []byte{0, 1, 0x21, 0x65, 0xfc, 0xfd, 0xfe, 0xff} {
				changed := bytes.Clone(payload)
				changed[i] = b
				checkParseFilters(t, changed)
			}
		}
		for i, b := range payload {
			for _, zeros := range []int{1, 3, 7} {
				longer := append(bytes.Clone(payload[:i]), map[int]byte{1: 0xfd, 3: 0xfe, 7: 0xff}[zeros], b)
				longer = append(append(longer, make([]byte, zeros)...), payload[i+1:]...)
				checkParseFilters(t, longer)
			}
		}
		checkParseFilters(t, append(bytes.Clone(payload), 0))
	}
	for _, size := range []int{0xffff, 0x10000, wire.MaxCFilterDataSize} {
		checkParseFilters(t, batchOf(t, 0, size))
	}
}

func FuzzParseFilters(f *testing.F) {
	f.Add(batchOf(f, 0))
	f.Add(batchOf(f, 1, 3, 253))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, payload []byte) { checkParseFilters(t, bytes.Clone(payload)) })
}

func BenchmarkParseFilters(b *testing.B) {
	sizes := make([]int, wire.MaxCFiltersV2PerBatch)
	for i := range sizes {
		sizes[i] = 240
	}
	payload := batchOf(b, 0, sizes...)
	b.SetBytes(int64(len(payload)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := parseFilters(payload); err != nil {
			b.Fatal(err)
		}
	}
}
