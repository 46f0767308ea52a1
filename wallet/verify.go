package wallet

import (
	"context"

	"dcrspv/spv/chain"
	"dcrspv/wallet/internal/keys"

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
	if err := w.mu.lockFor(ctx); err != nil { // nobody may write while pages are checked
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
		read := &Wallet{params: w.params, cache: newCache(w.params)} // as Open reads it
		if err := read.loadAll(b); err != nil {
			return err
		}
		c := &change{buckets: b, w: read}
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
	r.Scripts, r.Accounts, r.Groups = len(c.w.scripts)+len(c.w.outpoints), len(c.w.accounts), len(c.w.ledger.Groups())
	derived := make(map[uint32]uint64) // by account
	for _, s := range c.w.scripts {
		switch err := c.verifyCovered(s); {
		case err != nil:
			return err
		case s.usedAt != unused && s.usedAt > c.tipHeight():
			return corrupt("script %.40x is used in block %d, above the tip", s.raw, s.usedAt)
		case s.account != 0:
			derived[s.account]++
			if err := c.verifyDerived(s); err != nil {
				return err
			}
		}
	}
	for _, s := range c.w.outpoints {
		if err := c.verifyCovered(s); err != nil {
			return err
		}
	}
	for _, a := range c.w.accounts {
		if err := c.verifyAll(a, derived[a.id]); err != nil {
			return err
		}
		for i := range a.branches {
			b := &a.branches[i]
			if n := b.usedEnd(); n != b.used && (c.w.unfit == 0 || n > b.used) {
				return corrupt("account %d: %d indices of branch %d are in use, not %d", a.id, n, i, b.used)
			}
		}
	}
	for _, g := range c.w.ledger.Groups() {
		if len(g.Scripts()) == 0 {
			return corrupt("group %d has no script", g.ID())
		}
	}
	return c.err
}

// verifyCovered checks where a script counts as tested.
func (c *change) verifyCovered(s *script) error {
	covered := c.w.ledger.Covered(s)
	if s.Birthday() > 0 {
		covered = covered.Remove(chain.Range{To: s.Birthday() - 1})
	}
	tip := c.tipHeight()
	if len(covered) > 0 && (len(c.w.positions.blocks) == 0 || covered[len(covered)-1].To > tip) {
		return corrupt("script %.40x counts as tested above the tip %d", s.raw, tip)
	}
	return nil
}

// verifyDerived derives a script of an account again.
func (c *change) verifyDerived(s *script) error {
	b := c.w.branchOf(s)
	if b == nil || s.index >= b.known {
		return corrupt("script %.40x is of no account", s.raw)
	}
	key, ok := b.of.keys.PubKey(s.branch, s.index)
	if !ok {
		return corrupt("script %.40x: the key has no index %d", s.raw, s.index)
	}
	if f := keys.FormOf(s.raw); f >= b.forms() || keys.Script(key, f) != s.raw {
		return corrupt("script %.40x is not index %d of its key", s.raw, s.index)
	}
	return nil
}

// verifyAll checks that none is missing of the scripts of an account, of which so many
// were found.
func (c *change) verifyAll(a *account, found uint64) error {
	all := uint64(0)
	for i := range a.branches {
		b := &a.branches[i]
		all += uint64(b.known) * uint64(b.forms())
	}
	if found == all {
		return nil
	}
	for branch := range uint8(keys.Branches) {
		for i := range a.branches[branch].known {
			key, ok := a.keys.PubKey(branch, i)
			for f := keys.PayHash; ok && f < a.branches[branch].forms(); f++ {
				if c.w.scripts[keys.Script(key, f)] == nil {
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
		if !c.w.claims(outPoint{id, index}, coin.script, coin.height) {
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
	for _, a := range c.w.accounts {
		for _, s := range a.scripts() {
			if b := &a.branches[s.branch]; s.awaited != (s.ahead && s.index < b.awaitedEnd()) {
				return corrupt("script %.40x: whether it is awaited does not follow from what waits", s.raw)
			}
		}
	}
	r.Unmined = len(c.w.pool.byID)
	for id, p := range c.w.pool.byID {
		switch {
		case c.txs.Get(id[:]) != nil:
			return corrupt("transaction %v is mined and unmined", id)
		case p.msg.TxHash() != id:
			return corrupt("unmined transaction %v has another hash", id)
		}
	}
	return c.err
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
	if err == nil && sum != c.w.log.bytes {
		err = corrupt("the log has %d bytes, not %d", sum, c.w.log.bytes)
	}
	return err
}

// verifyTotals checks the sums and the list of maturing coins against the coins.
func (c *change) verifyTotals() error {
	var want totals
	ripening := 0
	var bad error
	err := c.eachUnspent(func(key []byte, coin *coin) {
		want.count(coin, true)
		if !coin.ripens(c.w.params) {
			return
		}
		ripening++
		if string(c.maturing.Get(coin.maturingKey(key, c.w.params))) != string(coin.maturingValue()) && bad == nil {
			bad = corrupt("coin %.40x is not listed as maturing", key)
		}
	})
	stored, ok := decodeTotals(c.meta.Get(keyTotals))
	switch {
	case err != nil:
		return err
	case bad != nil:
		return bad
	case !ok || stored != want || stored != c.w.totals:
		return corrupt("the sums of the coins are wrong")
	case int(c.maturing.tally.count) != ripening:
		return corrupt("%d coins are listed as maturing, not %d", c.maturing.tally.count, ripening)
	}
	return nil
}
