package chain

import (
	"encoding/binary"
	"testing"

	"github.com/decred/dcrd/chaincfg/v3"
)

// The prices that dcrd computes for mainnet under various demands. Each step is
// a number of blocks with so many new tickets each, at a price.
// Rule 10.
func TestNextStakeDiffLikeDcrd(t *testing.T) {
	type step struct {
		blocks  int
		tickets byte
		price   int64
	}
	const low = 200000000
	start := []step{{256, 0, low}, {2047, 20, low}}
	rising := append(start[:2:2], step{144, 20, 208418769}, step{144, 20, 231326567},
		step{144, 20, 272451490}, step{144, 20, 339388424}, step{144, 20, 445827839},
		step{144, 20, 615949254}, step{144, 20, 892862990}, step{144, 20, 1354989669},
		step{144, 20, 2148473276}, step{144, 20, 3552797658})
	varying := []step{{256, 0, low}, {31, 20, low}}
	for range 9 {
		varying = append(varying, step{144, 10, low}, step{144, 20, low})
	}
	varying = append(varying, step{144, 9, 201743368}, step{144, 20, 201093236},
		step{144, 8, 222625877}, step{144, 20, 242331291})
	for _, tt := range []struct {
		name  string
		steps []step
		want  int64
	}{
		{"genesis", nil, low},
		{"first window", []step{{143, 0, low}}, low},
		{"impossible tickets before any coin is mature", []step{{255, 20, low}}, low},
		{"no ticket yet", []step{{256, 0, low}}, low},
		{"second window", []step{{256, 0, low}, {30, 20, low}}, low},
		{"second retarget", []step{{256, 0, low}, {31, 20, low}}, low},
		{"third retarget", []step{{256, 0, low}, {175, 20, low}}, low},
		{"last block of the 16th window", []step{{256, 0, low}, {2046, 20, low}}, low},
		{"16th retarget", start, 208418769},
		{"last block of the 17th window", append(start[:2:2], step{143, 20, 208418769}), 208418769},
		{"17th retarget", rising[:3], 231326567},
		{"after the 17th retarget", append(rising[:3:3], step{1, 20, 231326567}), 231326567},
		{"varying demand", varying, 291317641},
		{"full demand, limited by the supply", append(rising[:12:12], step{144, 20, 6116808441},
			step{144, 20, 10947547379}, step{144, 20, 20338554623}), 22097687698},
		{"half demand", []step{{256, 0, low}, {3919, 10, low}}, low},
		{"waning demand", append(rising[:12:12], step{144, 13, 6116808441}, step{144, 0, 10645659768},
			step{144, 0, 18046712136}, step{144, 0, 22097687698}, step{144, 0, 22152524112}), 22207360526},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := newMiner(t, NewRules(chaincfg.MainNetParams()))
			immature := make(map[uint32]byte)
			var pool uint32
			for _, s := range tt.steps {
				if got := m.r.NextStakeDiff(m.tip(), m.anc); got != s.price {
					t.Fatalf("after %d: got %d, want %d", m.tip().Height(), got, s.price)
				}
				for range s.blocks {
					pool = m.fakeTickets(pool, s.tickets, s.price, immature)
				}
			}
			if got := m.r.NextStakeDiff(m.tip(), m.anc); got != tt.want {
				t.Errorf("got %d, want %d", got, tt.want)
			}
		})
	}
}

// fakeTickets appends a header (without work) that sells tickets, and gives the
// pool size that the next one has. Tickets that mature in a block are in the
// pool size of the next.
func (m *miner) fakeTickets(pool uint32, tickets byte, price int64, immature map[uint32]byte) uint32 {
	p := m.r.params
	height := uint32(len(m.headers))
	var h Header
	setHeight(&h, height)
	binary.LittleEndian.PutUint64(h[offSBits:], uint64(price))
	binary.LittleEndian.PutUint32(h[offPoolSize:], pool)
	h[offFreshStake] = tickets
	m.headers = append(m.headers, h)
	pool += uint32(immature[height])
	if int64(height) >= p.StakeValidationHeight {
		pool -= uint32(p.TicketsPerBlock)
	}
	immature[height+uint32(p.TicketMaturity)] = tickets
	return pool
}

func TestNextStakeDiffWithoutAncestors(t *testing.T) {
	r := NewRules(chaincfg.MainNetParams())
	var prev Header
	setHeight(&prev, 143+144*2000)
	if got := r.NextStakeDiff(&prev, func(uint32) *Header { return nil }); got != -1 {
		t.Errorf("got %d", got)
	}
	// The first of the two sums is known, the second is not.
	if got := r.NextStakeDiff(&prev, func(h uint32) *Header {
		if h >= prev.Height()-144 {
			return nil
		}
		old := new(Header)
		setHeight(old, h)
		return old
	}); got != -1 {
		t.Errorf("got %d", got)
	}
}

// Rule 10.
func TestCheckStakeDiffByHeight(t *testing.T) {
	r := NewRules(chaincfg.MainNetParams())
	header := func(height uint32, price int64) *Header {
		var h Header
		setHeight(&h, height)
		binary.LittleEndian.PutUint64(h[offSBits:], uint64(price))
		return &h
	}
	unused := func(uint32) *Header { t.Fatal("asked for an ancestor"); return nil }
	const low = 200000000
	for _, tt := range []struct {
		name        string
		height      uint32
		before, got int64
		bad         bool
	}{
		{"the first block", 1, 0, low, false},
		{"the first block, too high", 1, 0, low + 1, true},
		{"the first block, too low", 1, 0, low - 1, true},
		{"nobody has coins yet, end of a window", 144, low, low + 1, true},
		{"the last before the price moves", 257, low, low + 1, true},
		{"the last before the price moves, the minimum", 257, 5 * low, low, false},
		{"inside a window", 258, 5 * low, 5 * low, false},
		{"inside a window, a change", 258, 5 * low, 5*low + 1, true},
		{"inside a window, back to the minimum", 258, 5 * low, low, true},
		{"last of a window", 287, 5 * low, 6 * low, true},
		{"a new window", 288, 5 * low, 6 * low, false},
		{"a new window, the minimum", 288, 5 * low, low, false},
		{"a new window, below the minimum", 288, 5 * low, low - 1, true},
		{"after that", 289, 5 * low, 6 * low, true},
		{"the last before DCP0001", 149247, 7 * low, 7 * low, false},
		{"the last before DCP0001, a change", 149247, 7 * low, 7*low + 1, true},
		// Height 149248 is inside a window: the price of its parent.
		{"the first of DCP0001", 149248, 7 * low, 7 * low, false},
		{"the first of DCP0001, a change", 149248, 7 * low, 7*low + 1, true},
		{"the second of DCP0001", 149249, 7 * low, 7 * low, false},
		{"the second of DCP0001, a change", 149249, 7 * low, 7*low - 1, true},
	} {
		err := r.checkStakeDiff(header(tt.height, tt.got), header(tt.height-1, tt.before), unused)
		if tt.bad != (err != nil) {
			t.Errorf("%s: %v", tt.name, err)
		} else if tt.bad {
			wantErr(t, err, ErrStakeDiff)
		}
	}
}
