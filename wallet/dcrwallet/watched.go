package dcrwallet

import (
	"sync"

	"dcrspv/filters"

	"decred.org/dcrwallet/v5/wallet"
	"github.com/decred/dcrd/blockchain/stake/v5"
	"github.com/decred/dcrd/chaincfg/v3"
	"github.com/decred/dcrd/txscript/v4/stdaddr"
	"github.com/decred/dcrd/txscript/v4/stdscript"
	"github.com/decred/dcrd/wire"
)

// watched is what the wallet wants to hear of: addresses, and outputs that it could spend.
// Filters are tested for the scripts of the addresses. Those of the outputs are among them.
type watched struct {
	mu      sync.Mutex // held for moments only
	filter  *wallet.RescanFilter
	known   map[string]bool // scripts
	scripts [][]byte
	query   *filters.Query // of all scripts; nil if some were added since
	tested  int            // of scripts, how many were no news at the last call of news
}

// reset forgets everything.
func (w *watched) reset() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.filter = wallet.NewRescanFilter(nil, nil)
	w.known = make(map[string]bool)
	w.scripts, w.query, w.tested = nil, nil, 0
}

// add adds addresses and outputs, in any number of copies.
func (w *watched) add(addrs []stdaddr.Address, outpoints []wire.OutPoint) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, addr := range addrs {
		_, script := addr.PaymentScript()
		if w.known[string(script)] {
			continue
		}
		w.known[string(script)] = true
		w.scripts, w.query = append(w.scripts, script), nil
		w.filter.AddAddress(addr)
	}
	for i := range outpoints {
		w.filter.AddUnspentOutPoint(&outpoints[i])
	}
}

// all returns the query for all scripts.
func (w *watched) all() *filters.Query {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.build()
}

// noNews returns the query for all scripts, which are then no news any more. It is for the
// goroutine of drive: a rescan is of other blocks, or of a part of them.
func (w *watched) noNews() *filters.Query {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tested = len(w.scripts)
	return w.build()
}

// build returns the query for all scripts; the caller holds the lock.
func (w *watched) build() *filters.Query {
	if w.query == nil {
		w.query = filters.NewQuery(w.scripts)
	}
	return w.query
}

// news returns a query for the scripts that were added since the last call, nil if there
// are none.
func (w *watched) news() *filters.Query {
	w.mu.Lock()
	defer w.mu.Unlock()
	fresh := w.scripts[w.tested:]
	w.tested = len(w.scripts)
	if len(fresh) == 0 {
		return nil
	}
	return filters.NewQuery(fresh)
}

// inBlock returns the transactions of a block that concern the wallet, in the order of the
// block, and watches what they pay to it. Votes come before what spends them.
func (w *watched) inBlock(block *wire.MsgBlock, params *chaincfg.Params) (txs []*wire.MsgTx) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, tx := range block.STransactions {
		if w.concerns(tx, wire.TxTreeStake, params) {
			txs = append(txs, tx)
		}
	}
	for _, tx := range block.Transactions {
		if w.concerns(tx, wire.TxTreeRegular, params) {
			txs = append(txs, tx)
		}
	}
	return txs
}

// unmined reports whether a transaction that is in no block concerns the wallet.
func (w *watched) unmined(tx *wire.MsgTx, params *chaincfg.Params) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	tree := wire.TxTreeRegular
	if stake.DetermineTxType(tx) != stake.TxTypeRegular {
		tree = wire.TxTreeStake
	}
	return w.concerns(tx, tree, params)
}

// concerns reports whether a transaction spends an output that is watched or pays an
// address that is, a ticket's reward included. Its outputs are watched then.
func (w *watched) concerns(tx *wire.MsgTx, tree int8, params *chaincfg.Params) (does bool) {
	for _, in := range tx.TxIn {
		does = does || w.filter.ExistsUnspentOutPoint(&in.PreviousOutPoint)
	}
	ticket := tree == wire.TxTreeStake && stake.IsSStx(tx)
	for i, out := range tx.TxOut {
		if !w.pays(out, ticket && i%2 == 1, params) {
			continue
		}
		does = true
		op := wire.OutPoint{Hash: tx.TxHash(), Index: uint32(i), Tree: tree}
		if ticket && i%2 == 1 {
			op.Index = 0 // whoever votes spends the ticket
		}
		w.filter.AddUnspentOutPoint(&op)
	}
	return does
}

// pays reports whether an output pays an address that is watched. A commitment of a ticket
// pays when the ticket votes or is revoked.
func (w *watched) pays(out *wire.TxOut, commitment bool, params *chaincfg.Params) bool {
	if commitment {
		addr, err := stake.AddrFromSStxPkScrCommitment(out.PkScript, params)
		return err == nil && w.filter.ExistsAddress(addr)
	}
	_, addrs := stdscript.ExtractAddrs(out.Version, out.PkScript, params)
	for _, addr := range addrs {
		if w.filter.ExistsAddress(addr) {
			return true
		}
	}
	return false
}
