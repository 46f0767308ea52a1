package wallet

import (
	"context"
	"maps"
	"slices"

	"github.com/decred/dcrd/chaincfg/chainhash"
)

// Watched is an entry of the watch set.
type Watched struct {
	Address string // empty for a script without an address
	Script  []byte // nil for an account
	XPub    string // set for an account

	// Of an outpoint; the hash is zero for all others. Address and Script are what
	// it pays.
	TxID  chainhash.Hash
	Index uint32

	From  uint32 // birthday
	Label string

	// Gap, and how many addresses of each branch are watched: of accounts.
	Gap, External, Internal uint32

	PubKeys bool // of an account: as in Watch
}

// Watched lists the watch set: accounts in the order they were added, then
// scripts by their bytes, then outpoints by theirs. Addresses that are watched only
// through an account are not listed.
func (w *Wallet) Watched(ctx context.Context) (out []Watched, err error) {
	err = w.fromMemory(ctx, func() error {
		for _, a := range w.sortedAccounts() {
			out = append(out, Watched{
				XPub: a.xpub, From: a.birthday, Label: a.label, Gap: a.gap, PubKeys: a.pubKeys,
				External: a.branches[0].derived, Internal: a.branches[1].derived,
			})
		}
		for _, raw := range slices.Sorted(maps.Keys(w.scripts)) {
			if s := w.scripts[raw]; s.explicit {
				out = append(out, Watched{
					Address: scriptAddress([]byte(raw), w.params), Script: []byte(raw),
					From: s.since, Label: s.label,
				})
			}
		}
		for _, s := range w.sortedOutpoints() {
			out = append(out, Watched{
				TxID: s.outpoint.hash, Index: s.outpoint.index,
				Address: scriptAddress([]byte(s.raw), w.params), Script: []byte(s.raw),
				From: s.Birthday(), Label: s.label,
			})
		}
		return nil
	})
	return out, err
}
