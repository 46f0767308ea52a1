package spv_test

import (
	"math/big"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"dcrspv/spv"
	"dcrspv/spv/chain"
	"dcrspv/spv/spvtest"

	"github.com/decred/dcrd/chaincfg/v3"
	"github.com/decred/dcrd/math/uint256"
	"github.com/decred/dcrd/wire"
)

// A flood of valid headers with little work, from 8 peers at once, on a network
// known to have done more: it is bounded in memory, never written, never
// adopted, and the peers that sent it are cut off.
// Rules 12 and 20.
func TestLowWorkFlood(t *testing.T) {
	c := spvtest.NewChain(nil, spvtest.StartAt(time.Unix(1_600_000_000, 0)))
	c.Mine(2000)
	storyOn(t, c, func(w *world) {
		w.pass(365 * 24 * time.Hour) // so that their times are not of the future
		for i := range uint32(8) {
			own := c.Fork(1900 + i)
			own.Mine(int(100 - i))
			w.joinWith(own, spvtest.Behaviour{BadHeaders: spvtest.HeadersEndless, AdvertisedHeight: 1_000_000})
		}
		before := heapInUse()
		w.start(func(cfg *spv.Config) {
			params := chaincfg.SimNetParams()
			params.MinKnownChainWork = new(big.Int).Lsh(big.NewInt(1), 64)
			cfg.Params = params
		})
		var st spv.Status
		cut := make(map[string]bool)
		for range 7200 {
			w.pass(time.Second)
			st = w.syncer.Status()
			for _, c := range st.CutOff {
				cut[c.Addr] = strings.Contains(c.Reason, "work")
			}
			if len(cut) == 8 && w.total(wire.CmdGetHeaders) >= 200 { // up to 400,000 headers
				break
			}
		}
		if st.Synced || st.Filters.Through > 0 {
			t.Errorf("adopted a chain without work: %+v", st)
		}
		if grown := heapInUse() - before; grown > 64<<20 {
			t.Errorf("%d MiB of memory in use for it", grown>>20)
		}
		info, err := os.Stat(filepath.Join(w.dir, spv.ChainFile))
		if err != nil || info.Size() > 5<<20 {
			t.Errorf("chain.db has %d bytes, %v", info.Size(), err)
		}
		if len(cut) != 8 {
			t.Errorf("cut off: %v, want all 8", st.CutOff)
		}
		w.stop()
		if n := w.headersOnDisk(); n != 0 {
			t.Errorf("%d headers were written", n)
		}
	})
}

// A chain whose headers prove their work only towards the end, further than one
// write goes, is synced all the same: mainnet's is such a chain.
// Rule 12.
func TestChainIsProvenLate(t *testing.T) {
	story(t, 15000, func(w *world) {
		var work uint256.Uint256
		for h := range uint32(14001) {
			header := w.chain.Header(h)
			add := chain.Work(header.Bits())
			work.Add(&add)
		}
		w.joinMany(2, spvtest.Behaviour{})
		w.start(func(cfg *spv.Config) {
			params := chaincfg.SimNetParams()
			params.MinKnownChainWork = work.ToBig()
			cfg.Params = params
		})
		if st := w.sync(); st.Tip.Height != 15000 {
			t.Errorf("synced at %d", st.Tip.Height)
		}
	})
}

func heapInUse() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func (w *world) headersOnDisk() uint32 {
	s, err := spv.New(spv.Config{Params: w.chain.Params(), DataDir: w.dir})
	if err != nil {
		w.t.Fatal(err)
	}
	defer s.Close()
	return s.Status().Tip.Height
}
