package chain

import (
	"errors"
	"testing"

	"github.com/decred/dcrd/wire"
)

// Rule 10.
func TestCheckVotes(t *testing.T) {
	for _, p := range networks() {
		r := NewRules(p)
		svh := uint32(p.StakeValidationHeight)
		early := wire.BlockHeader{Height: svh - 1, VoteBits: 1}
		late := wire.BlockHeader{Height: svh, VoteBits: 1, Voters: 5}
		for _, tt := range []struct {
			name   string
			header wire.BlockHeader
			change func(*wire.BlockHeader)
			want   error
		}{
			{"early", early, func(h *wire.BlockHeader) {}, nil},
			{"early with tickets", early, func(h *wire.BlockHeader) { h.FreshStake = 20 }, nil},
			{"early with too many tickets", early, func(h *wire.BlockHeader) { h.FreshStake = 21 }, ErrFreshStake},
			{"early with a voter", early, func(h *wire.BlockHeader) { h.Voters = 1 }, ErrVotes},
			{"early with a revocation", early, func(h *wire.BlockHeader) { h.Revocations = 1 }, ErrRevocations},
			{"early with vote bits 0", early, func(h *wire.BlockHeader) { h.VoteBits = 0 }, ErrVoteBits},
			{"early with vote bits 3", early, func(h *wire.BlockHeader) { h.VoteBits = 3 }, ErrVoteBits},
			{"early with a lottery state", early, func(h *wire.BlockHeader) { h.FinalState[5] = 1 }, ErrFinalState},
			{"late", late, func(h *wire.BlockHeader) {}, nil},
			{"late, everything else", late, func(h *wire.BlockHeader) {
				h.VoteBits, h.Revocations, h.FinalState, h.FreshStake = 0, 255, [6]byte{1}, 20
			}, nil},
			{"late with no voters", late, func(h *wire.BlockHeader) { h.Voters = 0 }, ErrVotes},
			{"late with 2 voters", late, func(h *wire.BlockHeader) { h.Voters = 2 }, ErrVotes},
			{"late with 3 voters", late, func(h *wire.BlockHeader) { h.Voters = 3 }, nil},
			{"late with 6 voters", late, func(h *wire.BlockHeader) { h.Voters = 6 }, ErrVotes},
			{"late with too many tickets", late, func(h *wire.BlockHeader) { h.FreshStake = 21 }, ErrFreshStake},
		} {
			tt.change(&tt.header)
			h := HeaderFromWire(&tt.header)
			if err := r.checkVotes(&h); tt.want == nil && err != nil {
				t.Errorf("%s, %s: %v", p.Name, tt.name, err)
			} else if tt.want != nil {
				if !errors.Is(err, tt.want) {
					t.Errorf("got %v, want %v", err, tt.want)
				}
			}
		}
	}
}

// Rule 10.
func TestCheckSize(t *testing.T) {
	want := map[string]uint32{"mainnet": 393216, "testnet3": 1310720, "simnet": 1310720, "regnet": 1310720}
	for _, p := range networks() {
		r := NewRules(p)
		for _, tt := range []struct {
			size uint32
			bad  bool
		}{{0, true}, {HeaderSize, true}, {HeaderSize + 1, false}, {want[p.Name], false}, {want[p.Name] + 1, true}, {1<<32 - 1, true}} {
			h := HeaderFromWire(&wire.BlockHeader{Size: tt.size})
			if err := r.checkSize(&h); tt.bad {
				wantErr(t, err, ErrBlockSize)
			} else if err != nil {
				t.Errorf("%s: %v", p.Name, err)
			}
		}
	}
}
