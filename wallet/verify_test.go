package wallet

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"dcrspv/spv/chain"
	"dcrspv/wallet/internal/coverage"

	"go.etcd.io/bbolt"
)

// TestVerifyMissesDerivedScripts: that the record of a script of an account is gone is
// found, whichever it is, although nothing else in the file names it.
// Rule 25.
func TestVerifyMissesDerivedScripts(t *testing.T) {
	w := open(t)
	w.maxAhead = 2
	watch(t, w, Watch{XPubs: []string{testXPub(t, 1)}, Gap: 3, PubKeys: true})
	watch(t, w, Watch{XPubs: []string{testXPub(t, 2)}, Gap: 3})
	verify(t, w)
	var raws [][]byte
	for raw := range w.scripts {
		raws = append(raws, []byte(raw))
	}
	if err := errors.Join(w.db.Sync(), w.Close()); err != nil {
		t.Fatal(err)
	}
	whole := read(t, w.path)
	for _, raw := range raws {
		write(t, w.path, bytes.Clone(whole))
		amend(t, w.path, func(b *buckets) error { return b.scripts.Delete(raw) })
		damaged := openAt(t, w.path)
		if _, err := damaged.Verify(t.Context()); !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), "missing") {
			t.Errorf("script %x: %v", raw, err)
		}
		damaged.Close()
	}
}

// TestUsedAboveTheTip: Open or Verify miss that a script is said to be used in a block
// that is none of the wallet's yet.
func TestUsedAboveTheTip(t *testing.T) {
	k := newKeyed(t, 0)
	k.mine(k.payTo(2, 1))
	mineTo(k.world, 40)
	k.sync(k.w)
	path := reclose(t, k.w)
	amend(t, path, func(b *buckets) error {
		v := bytes.Clone(b.scripts.Get(k.script(2)))
		copy(v[16:], key32(1_000_000)) // used at
		return b.scripts.Put(k.script(2), v)
	})
	w, err := Open(path, params)
	if err == nil {
		defer w.Close()
		_, err = w.Verify(background())
	}
	if !errors.Is(err, ErrCorrupt) {
		t.Fatal(err)
	}
}

// memoryDiffers says where what is in memory is not what follows from the file and from
// the progress that is not saved.
func (w *Wallet) memoryDiffers() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	file := &Wallet{params: w.params, cache: newCache(w.params)}
	if err := w.loadAsSaved(file); err != nil {
		return err
	}
	is, want := w.inWords(), file.inWords()
	for key, value := range want {
		if is[key] != value {
			return fmt.Errorf("%s is %q in memory, and should be %q", key, is[key], value)
		}
	}
	if len(is) != len(want) {
		return fmt.Errorf("%d things are in memory, not %d", len(is), len(want))
	}
	return nil
}

// loadAsSaved loads what the file would hold if the progress was saved. It is not.
func (w *Wallet) loadAsSaved(into *Wallet) error {
	c := newChange(context.Background(), w, nil)
	var groups savedGroups
	positions := maps.Clone(w.positions.unsaved)
	err := w.db.Update(func(tx *bbolt.Tx) error {
		if c.buckets, c.err = openBuckets(c.ctx, tx); c.err == nil {
			groups.ledgerStore = ledgerStore{c}
			c.coverage = w.ledger.Edit(&groups)
			c.savePositions()
			c.coverage.SaveTested()
			c.savePrice()
			c.setTip((*ahead)(nil).tipOf(tx, c.buckets))
			c.err = cmp.Or(c.err, into.loadAll(c.buckets))
		}
		return cmp.Or(c.err, errUnchanged)
	})
	maps.Copy(w.positions.unsaved, positions)
	for _, g := range w.ledger.Groups() {
		if slices.Contains(groups.ids, g.ID()) && len(g.Covered()) > 0 {
			c.coverage.Tested([]*coverage.Group[*script]{g}, g.Covered()[0])
		}
	}
	if errors.Is(err, errUnchanged) {
		return nil
	}
	return err
}

// savedGroups notes which groups are saved.
type savedGroups struct {
	ledgerStore
	ids []uint64
}

func (s *savedGroups) SaveGroup(id uint64, covered chain.Ranges) {
	s.ids = append(s.ids, id)
	s.ledgerStore.SaveGroup(id, covered)
}

// inWords is all that memory and file must agree on.
func (c *cache) inWords() map[string]string {
	out := map[string]string{
		"sums":      fmt.Sprint(c.positions.blocks, c.price, c.totals, c.unfit, c.log.bytes, c.log.last),
		"heard":     fmt.Sprint(c.pool.heard, c.pool.heardBytes, len(c.pool.own), len(c.pool.spends)),
		"outpoints": fmt.Sprint(c.outpointsOf),
	}
	for raw, s := range c.scripts {
		out[fmt.Sprintf("script %x", raw)] = fmt.Sprintf("%x %v %v", s.encode(), c.ledger.Covered(s), c.branchOf(s) != nil)
	}
	for op, s := range c.outpoints {
		out["outpoint "+op.String()] = fmt.Sprintf("%x %v", s.encodeOutpoint(), c.ledger.Covered(s))
	}
	for _, g := range c.ledger.Groups() {
		watched := 0
		for _, s := range g.Scripts() {
			if s.watched() {
				watched++
			}
		}
		out[fmt.Sprintf("group %d", g.ID())] = fmt.Sprint(g.Covered(), len(g.Scripts()), g.Watched(), watched == g.Watched())
	}
	for id, a := range c.accounts {
		out[fmt.Sprintf("account %d", id)] = fmt.Sprintf("%x", a.encode())
		for i := range a.branches {
			b := &a.branches[i]
			out[fmt.Sprintf("branch %d of %d", i, id)] = fmt.Sprint(b.waiting, b.awaited, b.awaitedEnd() == b.awaited, len(b.scripts(0, b.known)))
		}
	}
	for id, p := range c.pool.byID {
		out[fmt.Sprintf("pending %v", id)] = fmt.Sprintf("%x %v %v %x", p.encode(), p.own, p.msg.TxHash(), p.logged)
		if p.isActive() {
			out[fmt.Sprintf("%v is behind", id)] = p.behind.String()
		}
	}
	return out
}
