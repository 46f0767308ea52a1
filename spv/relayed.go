package spv

import "github.com/decred/dcrd/wire"

// relayTo hands a wallet what some peer has sent.
func (e *engine) relayTo(w *walletState) {
	addr, txs := w.heard.take()
	if len(txs) == 0 {
		return
	}
	more, height := false, e.chain.Tip().Height
	e.relayCall(w, func() (err error) {
		more, err = w.unmined.AddRelayed(w.ctx, addr, txs)
		return err
	}, func() {
		if !more {
			w.heard.refuse(addr, height)
			for _, tx := range txs {
				e.relay.unlearn(wire.InvVect{Type: wire.InvTypeTx, Hash: tx.TxHash()}) // they may be welcome from another peer
			}
		}
	})
}
