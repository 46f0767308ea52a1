package wallet

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/wire"
)

// Committed filters hold the scripts of the outputs that a block makes and
// spends, not the outpoints. To watch an outpoint is therefore to test its
// script, and to take, of all that pays it, this one output. It is an entry of
// the watch set of its own, with a birthday and a coverage beside those of its
// script, should that be watched too: either may come and go, and each has its
// own blocks tested.

// OutPoint is an output to watch. That of a ticket is found by a script that the ticket
// commits to pay, and is worth what that gets back: see Balance.Staked. One that can't
// be spent is in no filter.
//
// Watch.From must be at or below the height of the block that makes it: else the
// output is not found, and what spends it is not recognised as its spending. The
// tree follows from the transaction.
type OutPoint struct {
	Hash  chainhash.Hash // of the transaction
	Index uint32

	// Script is what the output pays, of version 0; a stake opcode at the front is
	// taken off, as in Watch.Scripts. Watch refuses a wrong one if the wallet has the
	// transaction; else nothing is ever found with it. Of a ticket it may be any that
	// it commits to pay. Unwatch does without it.
	Script []byte
}

// String is the outpoint as people write it, without the script.
func (o OutPoint) String() string { return fmt.Sprintf("%v:%d", o.Hash, o.Index) }

func (o *outPoint) String() string { return OutPoint{Hash: o.hash, Index: o.index}.String() }

func (o *outPoint) key() []byte { return outPointKey(&o.hash, o.index) }

// parseOutPoint reads what String prints.
func parseOutPoint(name string) (o outPoint, ok bool) {
	txid, index, found := strings.Cut(name, ":")
	if o.hash, ok = parseTxID(txid); !ok || !found {
		return outPoint{}, false
	}
	n, err := strconv.ParseUint(index, 10, 32)
	o.index = uint32(n)
	return o, err == nil
}

// encodePoint: group 8, birthday 4, length of the script 4, script, label.
func (s *script) encodePoint() []byte {
	b := make([]byte, 0, pointHead+len(s.raw)+len(s.label))
	b = be.AppendUint32(be.AppendUint64(b, s.Group()), s.Birthday())
	b = append(be.AppendUint32(b, uint32(len(s.raw))), s.raw...)
	return append(b, s.label...)
}

// pointHead is the length of what precedes the script in the record of a watched
// outpoint.
const pointHead = 16

// pointScript is the script in such a record, which may be nil, and the label.
func pointScript(record []byte) (raw, label []byte, ok bool) {
	if len(record) < pointHead {
		return nil, nil, false
	}
	n := be.Uint32(record[pointHead-4:])
	if n == 0 || uint64(n) > uint64(len(record)-pointHead) {
		return nil, nil, false
	}
	return record[pointHead : pointHead+n], record[pointHead+n:], true
}

func decodePoint(key, b []byte) (s *script, group uint64, birthday uint32, ok bool) {
	raw, label, ok := pointScript(b)
	if !ok || len(key) != chainhash.HashSize+4 {
		return nil, 0, 0, false
	}
	birthday = be.Uint32(b[8:])
	s = &script{
		point: &outPoint{hash(key[:chainhash.HashSize]), be.Uint32(key[chainhash.HashSize:])},
		raw:   string(raw), since: birthday, usedAt: unused, explicit: true, label: string(label),
	}
	return s, be.Uint64(b), birthday, true
}

func (w *Wallet) loadPoints(b *buckets) error {
	return b.points.ForEach(func(k, v []byte) error {
		s, group, birthday, ok := decodePoint(k, v)
		if !ok || !w.ledger.LoadScript(s, group, birthday, true) {
			return corrupt("watched outpoint %.40x", k)
		}
		w.addPoint(s)
		return nil
	})
}

func (w *Wallet) addPoint(s *script) {
	w.points[*s.point] = s
	w.pointsOf[s.raw]++
}

func (w *Wallet) removePoint(s *script) {
	delete(w.points, *s.point)
	if w.pointsOf[s.raw]--; w.pointsOf[s.raw] == 0 {
		delete(w.pointsOf, s.raw)
	}
}

// claims reports whether an output in the chain is the wallet's by what is watched.
func (c *change) claims(op outPoint, raw []byte, height uint32) bool {
	s := c.w.scripts[string(raw)]
	if s != nil && s.watched() && s.Birthday() <= height {
		return true
	}
	p := c.w.points[op]
	return p != nil && p.raw == string(raw) && p.Birthday() <= height
}

// pointAwaited reports whether an output of a transaction that is not in the chain
// is watched by itself.
func (b *buckets) pointAwaited(op outPoint, raw []byte) bool {
	known, _, ok := pointScript(b.points.Get(op.key()))
	return ok && string(known) == string(raw)
}

// point checks an outpoint, and makes an entry of the watch set of it.
func (o *OutPoint) point(from uint32, label string) (*script, error) {
	raw, err := rawScript(o.Script)
	if err != nil {
		return nil, fmt.Errorf("outpoint %v: %w", *o, err)
	}
	return &script{
		point: &outPoint{o.Hash, o.Index}, raw: string(raw), since: from, usedAt: unused, explicit: true, label: label,
	}, nil
}

// watchPoints adds outpoints, or gives them a lower birthday or another label.
func (c *change) watchPoints(points []*script) {
	named := make(map[outPoint]*script)
	for _, s := range points {
		old := c.w.points[*s.point]
		if old == nil {
			old = named[*s.point]
		}
		switch {
		case old == nil:
			c.checkPoint(s)
			named[*s.point] = s
		case old.raw != s.raw:
			c.fail(fmt.Errorf("%w: outpoint %v is watched with another one, %x", ErrScript, s.point, old.raw))
		}
	}
	if c.err != nil {
		return
	}
	var fresh []*script
	for _, s := range points {
		old := c.w.points[*s.point]
		switch {
		case old == nil:
			c.w.addPoint(s)
			c.saveScript(s)
			c.enter(s)
			fresh = append(fresh, s)
			continue
		case old.Group() == 0: // named twice
			continue
		case s.label != "" && s.label != old.label:
			old.label = s.label
			c.saveScript(old)
		}
		old.since = min(old.since, s.since)
		c.rebear([]*script{old})
	}
	if len(fresh) > 0 {
		c.coverage.Add(fresh, fresh[0].since) // all of one Watch have one birthday
	}
}

// checkPoint checks the script of an outpoint against its transaction, if the
// wallet has that.
func (c *change) checkPoint(s *script) {
	r, msg, ok := c.tx(s.point.hash)
	tree := r.tree
	if !ok {
		p := c.pending().byID[s.point.hash]
		if p == nil {
			return
		}
		msg, tree = p.msg, treeOf(p.msg)
	}
	if uint64(s.point.index) >= uint64(len(msg.TxOut)) {
		c.fail(fmt.Errorf("%w: there is no outpoint %v, its transaction has %d outputs", ErrScript, s.point, len(msg.TxOut)))
		return
	}
	owed := func(cm commitment) bool { return cm.script == s.raw }
	if tree == wire.TxTreeStake && s.point.index == 0 && slices.ContainsFunc(commitments(msg), owed) {
		return
	}
	out := msg.TxOut[s.point.index]
	if _, raw := untag(tree, out.Version, out.PkScript); string(raw) != s.raw {
		c.fail(fmt.Errorf("%w: outpoint %v does not pay %x, but %x", ErrScript, s.point, s.raw, raw))
	}
}

// chosenPoints are the watched outpoints that are named.
func (c *change) chosenPoints(named []OutPoint) (chosen []*script) {
	seen := make(map[outPoint]bool)
	for _, o := range named {
		op := outPoint{o.Hash, o.Index}
		s := c.w.points[op]
		if s == nil {
			c.fail(fmt.Errorf("%w: outpoint %v", ErrNotWatched, o))
			return nil
		}
		if len(o.Script) > 0 {
			if _, raw := untag(wire.TxTreeStake, 0, o.Script); string(raw) != s.raw {
				c.fail(fmt.Errorf("%w with this script: outpoint %v, its script is %s", ErrNotWatched, o, hex.EncodeToString([]byte(s.raw))))
				return nil
			}
		}
		if !seen[op] {
			seen[op] = true
			chosen = append(chosen, s)
		}
	}
	return chosen
}
