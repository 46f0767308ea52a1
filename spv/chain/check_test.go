package chain

import (
	"testing"

	"github.com/decred/dcrd/chaincfg/v3"
)

func TestCheckAccepts(t *testing.T) {
	m := newMiner(t, simnet())
	m.mineN(200, 1, 0)
	b, err := m.r.Check(m.headers[1:])
	if err != nil {
		t.Fatal(err)
	}
	if len(b.Headers) != 200 || len(b.Hashes) != 200 {
		t.Fatalf("%d headers, %d hashes", len(b.Headers), len(b.Hashes))
	}
	for i := range b.Headers {
		if b.Headers[i] != m.headers[i+1] || b.Hashes[i] != m.headers[i+1].Hash() {
			t.Fatalf("header %d differs", i)
		}
	}
	if b, err := m.r.Check(nil); err != nil || len(b.Headers) != 0 {
		t.Errorf("empty batch: %v", err)
	}
}

// A bad header ends the batch; what came before it is good.
// Rule 10.
func TestCheckRejects(t *testing.T) {
	r := simnet()
	// spoil changes header 5 of 9 in place; solved says whether it is mined again.
	for _, tt := range []struct {
		name   string
		want   ErrorKind
		solved bool
		spoil  func(h *Header)
	}{
		{"another parent", ErrLink, true, func(h *Header) { h[offPrevBlock]++ }},
		{"height too low", ErrHeight, true, func(h *Header) { setHeight(h, 4) }},
		{"height too high", ErrHeight, true, func(h *Header) { setHeight(h, 6) }},
		{"target of zero", ErrProofOfWork, false, func(h *Header) { setBits(h, 0) }},
		{"target above the limit", ErrProofOfWork, false, func(h *Header) { setBits(h, 0x21008000) }},
		{"a voter too early", ErrVotes, true, func(h *Header) { h[offVoters] = 1 }},
		{"a revocation too early", ErrRevocations, true, func(h *Header) { h[offRevocations] = 1 }},
		{"vote bits too early", ErrVoteBits, true, func(h *Header) { h[offVoteBits] = 0 }},
		{"a lottery state too early", ErrFinalState, true, func(h *Header) { h[offFinalState] = 1 }},
		{"no size", ErrBlockSize, true, func(h *Header) { h[offSize], h[offSize+1] = 0, 0 }},
		{"too large", ErrBlockSize, true, func(h *Header) { h[offSize+3] = 1 }},
		{"too many tickets", ErrFreshStake, true, func(h *Header) { h[offFreshStake] = 21 }},
		{"not solved", ErrProofOfWork, false, func(h *Header) { setBits(h, 0x1b00ffff) }},
	} {
		m := newMiner(t, r)
		m.mineN(9, 1, 0)
		tt.spoil(&m.headers[5])
		if tt.solved {
			m.solve(&m.headers[5])
		}
		b, err := r.Check(m.headers[1:])
		wantErr(t, err, tt.want)
		if len(b.Headers) != 4 || len(b.Hashes) != 4 {
			t.Errorf("%s: %d headers and %d hashes left, want 4", tt.name, len(b.Headers), len(b.Hashes))
		}
	}
}

// Work with the hash function of the other era is no work.
// Rule 10.
func TestCheckIsStrictAboutTheHashFunction(t *testing.T) {
	r := simnet()
	old := simnet()
	old.blake3 = never
	m := newMiner(t, r)
	blake256Only := m.template(1)
	for nonce := byte(0); ; nonce++ {
		blake256Only[offNonce] = nonce
		good, bad := old.PowHash(&blake256Only), r.PowHash(&blake256Only)
		if r.checkWork(&good, blake256Only.Bits()) == nil && r.checkWork(&bad, blake256Only.Bits()) != nil {
			break
		}
	}
	_, err := r.Check([]Header{blake256Only})
	wantErr(t, err, ErrProofOfWork)
	if _, err := old.Check([]Header{blake256Only}); err != nil {
		t.Errorf("by blake256: %v", err)
	}
	h := m.mine(1, 0)
	for old.checkWork(ptr(h.Hash()), h.Bits()) == nil {
		h[offExtraData]++
		m.solve(h)
	}
	_, err = old.Check([]Header{*h})
	wantErr(t, err, ErrProofOfWork)
}

func TestCheckRejectsGenesis(t *testing.T) {
	for _, p := range networks() {
		r := NewRules(p)
		genesis, _ := r.Genesis()
		_, err := r.Check([]Header{genesis})
		wantErr(t, err, ErrHeight)
	}
}

// A header of mainnet, which nobody mined for this test.
// Rule 10.
func TestCheckMainnetHeader(t *testing.T) {
	r := NewRules(chaincfg.MainNetParams())
	h := HeaderFromWire(&mainnetBlock432100(t).Header)
	b, err := r.Check([]Header{h})
	if err != nil {
		t.Fatal(err)
	}
	want := BlockID{432100, mustHash("000000000000000023455b4328635d8e014dbeea99c6140aa715836cc7e55981")}
	if h.ID() != want || b.Hashes[0] != want.Hash {
		t.Errorf("block %v, want %v", h.ID(), want)
	}
	h[offExtraData]++
	_, err = r.Check([]Header{h})
	wantErr(t, err, ErrProofOfWork)
}

func BenchmarkCheck(b *testing.B) {
	m := newMiner(b, simnet())
	m.mineN(2000, 1, 0)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := m.r.Check(m.headers[1:]); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*2000/b.Elapsed().Seconds(), "headers/s")
}
