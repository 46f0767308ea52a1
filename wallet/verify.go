package wallet

import (
	"bytes"
	"context"
	"maps"
	"slices"

	"dcrspv/spv/chain"
	"dcrspv/wallet/internal/coverage"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/wire"
	"go.etcd.io/bbolt"
)

// Report counts what Verify has checked.
type Report struct {
	Scripts, Accounts, Groups   int // Scripts: and outpoints
	Transactions, Coins, Blocks int
	Unmined, Events             int

	Records int // in all buckets of the file: those that the others count, and the rest
}

// Verify reads the whole wallet file and checks it against itself: its pages, the seal
// of every record, that none has vanished, and everything that is written down twice or
// follows from something else. The error is ErrCorrupt with the first contradiction.
func (w *Wallet) Verify(ctx context.Context) (Report, error) {
	var r Report
	if err := w.mu.lockFor(ctx); err != nil { // the memory is checked too
		return r, err
	}
	defer w.mu.Unlock()
	err := w.db.View(func(tx *bbolt.Tx) error {
		if err := w.db.CheckPages(ctx); err != nil {
			return err
		}
		b, err := openBuckets(ctx, tx)
		if err != nil {
			return err
		}
		if r.Records, err = b.checkRecords(); err != nil {
			return err
		}
		c := &change{buckets: b, w: w}
		for _, check := range []func(*Report) error{
			c.verifyWatch, c.verifyTxs, c.verifyCoins, c.verifyUnmined, c.verifyEvents,
		} {
			if err := check(&r); err != nil {
				return err
			}
		}
		return b.result(c.err)
	})
	return r, w.explain(err)
}

func (c *change) verifyWatch(r *Report) error {
	r.Scripts, r.Accounts, r.Groups = len(c.w.scripts)+len(c.w.points), len(c.w.accounts), len(c.w.ledger.Groups())
	n, derived := 0, make(map[uint32]uint64) // by account
	err := c.scripts.ForEach(func(k, v []byte) error {
		n++
		s, group, birthday, ok := decodeScript(k, v)
		known := c.w.scripts[string(k)]
		if !ok || known == nil || known.Group() != group || known.Birthday() != birthday ||
			known.since != s.since || known.usedAt != s.usedAt || known.explicit != s.explicit ||
			known.account != s.account || known.ahead != s.ahead || known.awaited != s.awaited || known.label != s.label {
			return corrupt("watched script %.40x is not as in memory", k)
		}
		if err := c.verifyCovered(known); err != nil {
			return err
		}
		if s.usedAt != unused && s.usedAt > c.tipHeight() {
			return corrupt("script %.40x is used in block %d, above the tip", k, s.usedAt)
		}
		if s.account == 0 {
			return nil
		}
		derived[s.account]++
		return c.verifyDerived(s)
	})
	for _, a := range c.w.accounts {
		if err == nil {
			err = c.verifyAll(a, derived[a.id])
		}
	}
	if err == nil && n != len(c.w.scripts) {
		err = corrupt("%d watched scripts, %d in memory", n, len(c.w.scripts))
	}
	for _, a := range c.w.accounts {
		for branch, used := range a.used {
			if n := a.usedEnd(uint8(branch)); err == nil && n != used && (c.w.unfit == 0 || n > used) {
				err = corrupt("account %d: %d indices of branch %d are in use, not %d", a.id, n, branch, used)
			}
		}
	}
	if err == nil {
		err = c.verifyPoints()
	}
	for _, g := range c.w.ledger.Groups() {
		watched := 0
		for _, s := range g.Scripts() {
			if s.watched() {
				watched++
			}
		}
		if err == nil && (len(g.Scripts()) == 0 || g.Watched() != watched || string(coverage.Encode(g.Covered())) != string(c.groups.Get(key64(g.ID())))) {
			err = corrupt("group %d is not as in memory", g.ID())
		}
	}
	return err
}

// verifyPoints checks the watched outpoints against memory.
func (c *change) verifyPoints() error {
	n, of := 0, make(map[string]int)
	err := c.points.ForEach(func(k, v []byte) error {
		n++
		s, group, birthday, ok := decodePoint(k, v)
		if !ok {
			return corrupt("watched outpoint %.40x", k)
		}
		of[s.raw]++
		known := c.w.points[*s.point]
		if known == nil || known.Group() != group || known.raw != s.raw || known.Birthday() != birthday || known.label != s.label {
			return corrupt("watched outpoint %v is not as in memory", s.point)
		}
		return c.verifyCovered(known)
	})
	if err == nil && (n != len(c.w.points) || !maps.Equal(of, c.w.pointsOf)) {
		err = corrupt("%d watched outpoints, %d in memory", n, len(c.w.points))
	}
	return err
}

// verifyCovered checks where a script counts as tested.
func (c *change) verifyCovered(s *script) error {
	covered := c.w.ledger.Covered(s)
	if s.Birthday() > 0 {
		covered = covered.Remove(chain.Range{To: s.Birthday() - 1})
	}
	tip := c.tipHeight()
	if len(covered) > 0 && (len(c.w.positions) == 0 || covered[len(covered)-1].To > tip) {
		return corrupt("script %.40x counts as tested above the tip %d", s.raw, tip)
	}
	return nil
}

// verifyDerived derives a script of an account again.
func (c *change) verifyDerived(s *script) error {
	a := c.w.accounts[s.account]
	if a == nil || s.branch >= branches || s.index >= a.known[s.branch] {
		return corrupt("script %.40x is of no account", s.raw)
	}
	key, ok := a.pubKey(s.branch, s.index)
	if !ok {
		return corrupt("script %.40x: the key has no index %d", s.raw, s.index)
	}
	if f := s.form(); f >= a.forms() || keyScript(key, f) != s.raw {
		return corrupt("script %.40x is not index %d of its key", s.raw, s.index)
	}
	return nil
}

// verifyAll checks that none is missing of the scripts of an account, of which so many
// were found.
func (c *change) verifyAll(a *account, found uint64) error {
	all := uint64(0)
	for branch := range branches {
		all += uint64(a.known[branch]) * uint64(a.forms())
	}
	if found == all {
		return nil
	}
	for branch := range uint8(branches) {
		for i := range a.known[branch] {
			key, ok := a.pubKey(branch, i)
			for f := payHash; ok && f < a.forms(); f++ {
				if c.w.scripts[keyScript(key, f)] == nil {
					return corrupt("account %d: the script of index %d of branch %d is missing", a.id, i, branch)
				}
			}
		}
	}
	return nil // of an index in 2^127 there is none
}

func (c *change) verifyTxs(r *Report) error {
	tip := c.tipHeight()
	err := c.txs.ForEach(func(k, _ []byte) error {
		r.Transactions++
		if len(k) != chainhash.HashSize {
			return corrupt("transaction %.40x", k)
		}
		id := hash(k)
		rec, msg, ok := c.tx(id)
		if !ok {
			return c.err
		}
		s := c.summarize(id, msg)
		block, known := decodeBlock(c.blocks.Get(key32(rec.height)))
		switch {
		case msg.TxHash() != id:
			return corrupt("transaction %v has another hash", id)
		case s.empty() || s.credit != rec.credit || s.debit != rec.debit:
			return corrupt("transaction %v does not agree with its coins", id)
		case string(c.order.Get(orderKey(rec.height, rec.tree, rec.pos))) != string(k):
			return corrupt("transaction %v is not in the history", id)
		case !known || rec.height > tip:
			return corrupt("transaction %v is in no block", id)
		case c.agrees(chain.BlockID{Height: rec.height, Hash: block.hash}) != nil:
			return corrupt("block %d has two hashes", rec.height)
		}
		return nil
	})
	r.Blocks = int(c.blocks.tally.count)
	if n := int(c.order.tally.count); err == nil && n != r.Transactions {
		err = corrupt("the history has %d entries for %d transactions", n, r.Transactions)
	}
	return err
}

func (c *change) verifyCoins(r *Report) error {
	unspent := 0
	err := c.coins.ForEach(func(k, _ []byte) error {
		r.Coins++
		coin, ok := c.coin(k)
		if !ok || len(k) != 36 {
			return corrupt("coin %.40x", k)
		}
		id, index := hash(k[:32]), be.Uint32(k[32:])
		rec, msg, ok := c.tx(id)
		if !ok || uint64(index) >= uint64(len(msg.TxOut)) || rec.height != coin.height || rec.tree != coin.tree {
			return corrupt("coin %v:%d has no transaction", id, index)
		}
		if !c.isOutput(&coin, id, index, msg) {
			return corrupt("coin %v:%d is not as its output", id, index)
		}
		if !c.claims(outPoint{id, index}, coin.script, coin.height) {
			return corrupt("coin %v:%d is not of a watched script", id, index)
		}
		if isListed := c.unspent.Get(k) != nil; isListed == coin.spent {
			return corrupt("coin %v:%d is spent and unspent", id, index)
		}
		if !coin.spent {
			unspent++
			return nil
		}
		return c.verifySpend(outPoint{id, index}, &coin)
	})
	if n := int(c.unspent.tally.count); err == nil && n != unspent {
		err = corrupt("%d unspent coins are listed, not %d", n, unspent)
	}
	if err != nil {
		return err
	}
	return c.verifyTotals()
}

// isOutput reports whether a coin is as the output that it stands for. Of a ticket
// the wallet may own more than it has found out yet.
func (c *change) isOutput(coin *coin, id hash, index uint32, tx *wire.MsgTx) bool {
	out := tx.TxOut[index]
	kind, raw := untag(coin.tree, out.Version, out.PkScript)
	if kind == Ticket || coin.kind == Ticket {
		share, _ := c.claimedShare(id, tx, coin.height)
		found := c.testedShare(id, tx, coin.height)
		return kind == coin.kind && index == 0 && coin.amount > 0 && coin.amount >= found && coin.amount <= share
	}
	return string(raw) == string(coin.script) && out.Value == int64(coin.amount)
}

func (c *change) verifySpend(op outPoint, coin *coin) error {
	rec, msg, ok := c.tx(coin.spentBy)
	if ok && rec.height == coin.spentHeight {
		for _, in := range msg.TxIn {
			if in.PreviousOutPoint.Hash == op.hash && in.PreviousOutPoint.Index == op.index {
				return nil
			}
		}
	}
	return corrupt("coin %v:%d is not spent by what it names", op.hash, op.index)
}

func (c *change) verifyUnmined(r *Report) error {
	paid := c.paidIndices()
	for _, a := range c.w.accounts {
		for branch := range uint8(branches) {
			if !slices.Equal(a.waiting[branch], paid[a.id][branch]) || a.awaited[branch] != a.awaitedEnd(branch) {
				return corrupt("account %d: what waits is not as in memory", a.id)
			}
		}
		for _, s := range a.scripts() {
			if s.awaited != (s.ahead && s.index < a.awaited[s.branch]) {
				return corrupt("script %.40x: whether it is awaited does not follow from what waits", s.raw)
			}
		}
	}
	all, err := c.readPending()
	for _, p := range all {
		known := c.w.pool.byID[p.id]
		if known == nil || known.own != p.own || known.msg.TxHash() != p.id || !bytes.Equal(known.encode(), p.encode()) {
			return corrupt("unmined transaction %v is not as in memory", p.id)
		}
	}
	if err == nil && len(all) != len(c.w.pool.byID) {
		return corrupt("%d unmined transactions, %d in memory", len(all), len(c.w.pool.byID))
	}
	waiting := c.effects(all)
	for _, u := range waiting {
		if c.w.told[u.TxID] != u.digest() || c.w.pool.byID[u.TxID].behind != u.Behind {
			return corrupt("the effect of unmined transaction %v is not as in memory", u.TxID)
		}
	}
	if err == nil && len(waiting) != len(c.w.told) {
		return corrupt("the effects of %d transactions are in memory, of %d that wait", len(c.w.told), len(waiting))
	}
	for _, p := range all {
		r.Unmined++
		if c.txs.Get(p.id[:]) != nil {
			return corrupt("transaction %v is mined and unmined", p.id)
		}
		if p.msg.TxHash() != p.id {
			return corrupt("unmined transaction %v has another hash", p.id)
		}
	}
	return err
}

func (c *change) verifyEvents(r *Report) error {
	next, sum := c.firstEvent(), uint64(0)
	err := c.events.ForEach(func(k, v []byte) error {
		r.Events++
		sum += uint64(len(v))
		if len(k) != 8 || be.Uint64(k) != next {
			return corrupt("event %d is missing", next)
		}
		next++
		return nil
	})
	if v := c.meta.Get(keyLogged); err == nil && (sum != c.w.logged || v != nil && be.Uint64(v) != sum) {
		err = corrupt("the log has %d bytes, not %d", sum, c.w.logged)
	}
	return err
}
