package wallet

import (
	"context"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/chaincfg/v3"
	"github.com/decred/dcrd/dcrutil/v4"
)

// Balance is what the wallet has, in atoms.
type Balance struct {
	Spendable dcrutil.Amount // may be spent in the next block
	Immature  dcrutil.Amount // may be spent later, see UTXO.Spendable
	Staked    dcrutil.Amount // locked in tickets, until they vote or are revoked
	Total     dcrutil.Amount // the sum of the three: all mined, unspent outputs

	// Unconfirmed is the net effect of the transactions that are not in the
	// chain. It is not in the total, and takes nothing from what is spendable:
	// such a transaction is only information.
	Unconfirmed dcrutil.Amount
}

// UTXO is an unspent output in the chain.
type UTXO struct {
	TxID    chainhash.Hash
	Index   uint32
	Tree    int8
	Amount  dcrutil.Amount
	Height  uint32
	Kind    CoinKind
	Address string // empty if the script has none
	Script  []byte // as watched: without stake opcode

	// Spendable: a transaction in the block after the wallet's tip may spend
	// it. Coinbase, vote, revocation and treasury outputs and those of
	// transactions with an expiry have to be CoinbaseMaturity blocks deep by
	// then, stake change SStxChangeMaturity, which is 1 on all networks. A
	// ticket's own output is never spendable.
	Spendable bool
}

// depth is how many blocks must lie between an output and a transaction that
// spends it: their heights differ by at least that (dcrd blockchain:
// CheckTransactionInputs).
func (c *coin) depth(params *chaincfg.Params) uint32 {
	coinbase := uint32(params.CoinbaseMaturity)
	switch {
	case c.expiry:
		return coinbase
	case c.kind == Coinbase, c.kind == Vote, c.kind == Revocation, c.kind == Treasury:
		return coinbase
	case c.kind == StakeChange:
		return uint32(params.SStxChangeMaturity)
	}
	return 0
}

// spendable reports whether a transaction in the block after tip may spend the
// coin.
func (c *coin) spendable(tip uint32, params *chaincfg.Params) bool {
	next := uint64(tip) + 1
	return c.kind != Ticket && uint64(c.height)+uint64(c.depth(params)) <= next
}

// eachUnspent calls fn for the unspent coins.
func (b *buckets) eachUnspent(fn func(key []byte, coin *coin)) error {
	return b.unspent.ForEach(func(k, _ []byte) error {
		coin, ok := decodeCoin(b.coins.Get(k))
		if !ok || len(k) != 36 {
			return corrupt("coin %.40x", k)
		}
		fn(k, &coin)
		return nil
	})
}

// tipHeight is the height of the newest block processed; 0 if there is none.
func (b *buckets) tipHeight() uint32 {
	k, _ := b.positions.Cursor().Last()
	if len(k) != 4 {
		return 0
	}
	return be.Uint32(k)
}

// Balance is what the wallet has at the last block it has processed.
func (w *Wallet) Balance(ctx context.Context) (Balance, error) {
	var out Balance
	err := w.view(ctx, func(b *buckets) error {
		tip := b.tipHeight()
		err := b.eachUnspent(func(_ []byte, coin *coin) {
			switch {
			case coin.kind == Ticket:
				out.Staked += coin.amount
			case coin.spendable(tip, w.params):
				out.Spendable += coin.amount
			default:
				out.Immature += coin.amount
			}
		})
		if err != nil {
			return err
		}
		out.Total = out.Spendable + out.Immature + out.Staked
		unmined, err := b.netUnmined()
		for _, u := range unmined {
			out.Unconfirmed += u.Net
		}
		return err
	})
	return out, err
}

// UTXOs lists the unspent outputs in the chain, in the order of their
// transaction hashes and indices.
func (w *Wallet) UTXOs(ctx context.Context) (out []UTXO, err error) {
	err = w.view(ctx, func(b *buckets) error {
		tip := b.tipHeight()
		return b.eachUnspent(func(key []byte, coin *coin) {
			out = append(out, UTXO{
				TxID: hash(key[:32]), Index: be.Uint32(key[32:]), Tree: coin.tree,
				Amount: coin.amount, Height: coin.height, Kind: coin.kind,
				Address: scriptAddress(coin.script, w.params), Script: coin.script,
				Spendable: coin.spendable(tip, w.params),
			})
		})
	})
	return out, err
}

// netUnmined lists the pending transactions that may be mined, with their
// effect. Of those that spend the same output only the first one has any.
func (b *buckets) netUnmined() ([]Unmined, error) {
	all, err := b.readPending()
	if err != nil {
		return nil, err
	}
	var out []Unmined
	paid := make(map[outPoint]dcrutil.Amount)
	for _, p := range all {
		if p.dead == alive {
			out = append(out, Unmined{TxID: p.id, Tx: p.msg})
			b.addPaid(paid, p)
		}
	}
	spent := make(map[outPoint]bool)
	for i := range out {
		u := &out[i]
		twice := false
		for _, in := range u.Tx.TxIn {
			twice = twice || spent[outPoint{in.PreviousOutPoint.Hash, in.PreviousOutPoint.Index}]
		}
		if twice {
			continue
		}
		for _, in := range u.Tx.TxIn {
			op := outPoint{in.PreviousOutPoint.Hash, in.PreviousOutPoint.Index}
			spent[op] = true
			amount, ok := paid[op]
			if coin, known := decodeCoin(b.coins.Get(outPointKey(&op.hash, op.index))); known && !ok {
				amount = coin.amount
			}
			u.Net -= amount
		}
		for n := range u.Tx.TxOut {
			u.Net += paid[outPoint{u.TxID, uint32(n)}]
		}
	}
	return out, nil
}

// addPaid notes what a pending transaction pays to watched scripts.
func (b *buckets) addPaid(paid map[outPoint]dcrutil.Amount, p *pendingMsg) {
	tree := treeOf(p.msg)
	for i, out := range p.msg.TxOut {
		if out.Version != 0 {
			continue
		}
		if _, raw := untag(tree, out.Version, out.PkScript); len(raw) > 0 && b.scripts.Get(raw) != nil {
			paid[outPoint{p.id, uint32(i)}] = dcrutil.Amount(out.Value)
		}
	}
}
