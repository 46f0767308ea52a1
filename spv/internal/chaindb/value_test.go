package chaindb

import (
	"bytes"
	"testing"
)

// Values of one transaction have memory of their own, checksums included, whatever their
// sizes; the next transaction has the same memory.
func TestValueMemory(t *testing.T) {
	var m valueMemory
	for range 3 {
		var values [][]byte
		for i := range 10 {
			size := []int{0, 1, 1000, blockSize / 3, blockSize + 1}[i%5]
			value := m.take(size)
			if len(value) != 0 || cap(value) != size {
				t.Fatalf("%d bytes of %d for %d", len(value), cap(value), size)
			}
			values = append(values, append(value, bytes.Repeat([]byte{byte(i)}, size)...))
		}
		for i, value := range values {
			if bytes.Count(value, []byte{byte(i)}) != len(value) {
				t.Fatalf("value %d was overwritten", i)
			}
		}
		m.reuse()
	}
	first := m.take(10)[:1]
	m.reuse()
	if second := m.take(20)[:1]; &first[0] != &second[0] {
		t.Error("the memory is not used again")
	}
}
