package wallet

import (
	"context"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/dcrutil/v4"
)

// Balance is what the wallet has, in atoms.
type Balance struct {
	Spendable dcrutil.Amount // may be spent in the next block
	Immature  dcrutil.Amount // may be spent later, see UTXO.Spendable
	Staked    dcrutil.Amount // locked in tickets: what their price will give back
	Total     dcrutil.Amount // the sum of the three: all mined, unspent outputs

	// Unconfirmed is the net effect of the transactions that are not in the
	// chain. It is not in the total, and takes nothing from what is spendable:
	// such a transaction is only information.
	Unconfirmed dcrutil.Amount

	// ByKind takes the total apart, by CoinKind: ByKind[Vote].Total.
	ByKind [kindCount]KindBalance
}

// KindBalance is the part of a balance in outputs of one kind. What is not
// spendable is immature or, of tickets, staked.
type KindBalance struct {
	Total     dcrutil.Amount
	Spendable dcrutil.Amount
	Coins     uint64 // number of outputs
}

// UTXO is an unspent output in the chain.
type UTXO struct {
	TxID    chainhash.Hash
	Index   uint32
	Tree    int8
	Amount  dcrutil.Amount // of a ticket the wallet's share of its price
	Height  uint32
	Kind    CoinKind
	Address string // empty if the script has none
	Script  []byte // as watched: without stake opcode; of a ticket the first that it is to pay
	Label   string // of the script, see SetLabel

	// Spendable: a transaction in the block after the wallet's tip may spend
	// it. Coinbase, vote, revocation and treasury outputs and those of
	// transactions with an expiry have to be CoinbaseMaturity blocks deep by
	// then, stake change SStxChangeMaturity, which is 1 on all networks. A
	// ticket's own output is never spendable. Matures is the lowest height of a
	// block that may spend it; 0 for a ticket.
	Spendable bool
	Matures   uint32
}

// Balance is what the wallet has at the last block it has processed.
func (w *Wallet) Balance(ctx context.Context) (Balance, error) {
	var out Balance
	err := w.view(ctx, func(b *buckets) error {
		sums, ok := decodeTotals(b.meta.Get(keyTotals))
		if !ok {
			return corrupt("the sums of the coins")
		}
		immature, err := b.immature(b.tip)
		if err != nil {
			return err
		}
		for kind, sum := range sums {
			of := &out.ByKind[kind]
			of.Total, of.Coins = sum.amount, sum.coins
			out.Total += sum.amount
			if CoinKind(kind) == Ticket {
				out.Staked += sum.amount
				continue
			}
			of.Spendable = sum.amount - immature[kind]
			out.Spendable += of.Spendable
			out.Immature += immature[kind]
		}
		pending, err := b.readPending()
		for _, u := range b.effects(pending) {
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
		tip := b.tip
		return b.eachUnspent(func(key []byte, coin *coin) {
			u := UTXO{
				TxID: hash(key[:32]), Index: be.Uint32(key[32:]), Tree: coin.tree,
				Amount: coin.amount, Height: coin.height, Kind: coin.kind,
				Address: scriptAddress(coin.script, w.params), Script: coin.script,
				Label:     b.coinLabel(key, coin.script),
				Spendable: coin.spendable(tip, w.params), Matures: w.creditMatures(coin),
			}
			out = append(out, u)
		})
	})
	return out, err
}
