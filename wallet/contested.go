package wallet

import (
	"math"
	"slices"

	"dcrspv/spv/chain"
	"dcrspv/wallet/internal/keys"

	"github.com/decred/dcrd/dcrutil/v4"
	"github.com/decred/dcrd/txscript/v4"
	"github.com/decred/dcrd/wire"
)

// A payment of somebody else whose block has left the chain may be spent
// differently on the new branch, in a block that pays nothing to the wallet and
// takes nothing from it. That block's filter holds the script of the output that
// both spend. Of the usual kinds of scripts it can be told from the input that
// spends it, so it is searched for as long as the payment is pending.

const (
	// maxContested bounds the scripts searched for because of one transaction,
	// and maxContestants the transactions.
	maxContested   = 16
	maxContestants = 1000
)

// contestedInputs are the scripts that a pending transaction spends, and those that it
// pays though they are ahead of a gap: a block that has it may hold no other.
type contestedInputs struct {
	since   uint32 // blocks above this one may spend them differently
	scripts []string
}

// contested are the inputs to search for, by transaction.
type contested map[hash]*contestedInputs

func (c contested) add(id hash, in *contestedInputs) { c[id] = in }

func (c contested) drop(id hash) { delete(c, id) }

// contest keeps the list of scripts to search for. Transactions that a peer has
// sent are left out: nobody proved that they spend anything.
func (w *Wallet) contest(p *pendingTx) {
	if !p.isActive() && p.state != superseded || p.unverified() {
		w.contested.drop(p.id)
		return
	}
	if w.contested[p.id] != nil || len(w.contested) >= maxContestants {
		return
	}
	in := &contestedInputs{since: p.since}
	add := func(raw string) {
		if len(in.scripts) < maxContested {
			in.scripts = append(in.scripts, raw)
		}
	}
	for _, txIn := range p.msg.TxIn {
		if raw := spentScript(txIn); raw != "" {
			add(raw)
		}
	}
	w.eachReceiver(p.msg, func(s *script) {
		if !s.watched() {
			add(s.raw)
		}
	})
	if len(in.scripts) > 0 {
		w.contested.add(p.id, in)
	}
}

// spentScript is the script of the output that an input spends, if the input
// tells: the last thing it pushes is the public key or the script that the
// output holds the hash of.
func spentScript(in *wire.TxIn) string {
	var last []byte
	for t := txscript.MakeScriptTokenizer(0, in.SignatureScript); t.Next(); {
		last = t.Data()
	}
	if len(last) == 0 {
		return ""
	}
	key := len(last) == 33 && (last[0] == 2 || last[0] == 3)
	return keys.HashScript(dcrutil.Hash160(last), !key)
}

// untestContested has blocks tested again that were tested before it was known what to search
// them for: those above a disapproved block whose transactions wait, up to the end of
// the batch that told of it. One script of the wallet owes them. What spends the
// wallet's own coins differently is found anyway.
func (c *change) untestContested(before contested) {
	strange := func(raw string) bool {
		s := c.w.scripts[raw]
		return s == nil || !s.watched()
	}
	for id, in := range c.w.contested {
		if before[id] == in || in.since >= c.tipHeight() || !slices.ContainsFunc(in.scripts, strange) {
			continue
		}
		one := c.concerned(c.w.pool.byID[id])
		c.untestAll(func(s *script) bool { return s == one }, chain.Range{From: in.since + 1, To: math.MaxUint32})
	}
}

// concerned is a watched script because of which a transaction waits; nil if there is
// none.
func (c *change) concerned(p *pendingTx) (one *script) {
	c.w.eachPaid(p.msg, treeOf(p.msg), func(_ uint32, _ CoinKind, s *script) {
		if s.awaits() {
			one = s
		}
	})
	for _, in := range p.msg.TxIn {
		op := spent(in)
		coin, ok := c.coin(op.key())
		if s := c.w.scripts[string(coin.script)]; ok && s != nil && s.watched() {
			one = s
		} else if s := c.w.outpoints[op]; s != nil {
			one = s
		}
	}
	return one
}

// contestedIn are the further scripts to be searched for in a range of
// blocks, which is cut short where they change.
func (w *Wallet) contestedIn(r *chain.Range) (raw [][]byte) {
	for _, in := range w.contested {
		if r.From <= in.since && in.since < r.To {
			r.To = in.since
		}
	}
	for _, in := range w.contested {
		if r.From <= in.since {
			continue
		}
		for _, s := range in.scripts {
			raw = append(raw, []byte(s))
		}
	}
	return raw
}
