package spv

import "github.com/decred/dcrd/wire"

// relayTo hands a wallet what some peer has sent.
func (e *engine) relayTo(w *walletState) {
	addr, txs := w.heard.take()
	if len(txs) == 0 {
		return
	}
	limit := e.chain.Tip().Height
	w.relay(func() event {
		more, err := w.unmined.Seen(addr, txs)
		return relayDone{report: reportOf(w, limit, err), addr: addr, txs: txs, height: limit, full: !more}
	})
}

// relayDone: a wallet has got what a peer has sent.
type relayDone struct {
	report
	addr   string
	txs    []*wire.MsgTx
	height uint32 // of our tip at that time
	full   bool   // it wants no more of it
}

func (ev relayDone) apply(e *engine) {
	if ev.full {
		ev.w.heard.refuse(ev.addr, ev.height)
		e.relay.unlearn(ev.txs) // they may be welcome from another peer
	}
	e.reply(ev.report)
}
