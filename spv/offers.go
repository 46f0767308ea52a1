package spv

import (
	"slices"
	"time"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/wire"
)

// outgoing holds the transactions on offer: those that Publish was called with,
// and those that wallets want in the chain. They are served on request,
// announced to peers that join, and again to all from time to time.
type outgoing struct {
	txs   map[chainhash.Hash]*publication
	order []chainhash.Hash // of arrival, so that parents come before children
	again time.Time        // when to announce all of them again

	changed bool // what wallets want in the chain may have changed
}

type publication struct {
	tx          *wire.MsgTx
	announcedTo map[string]bool
	requestedBy []string
	expires     time.Time // when the offer of Publish ends
	pending     bool      // a wallet wants it in the chain

	call      *publishCall // of Publish; nil if none waits
	published bool         // Publish was called before
}

const (
	// maxOutgoing bounds the transactions kept for peers.
	maxOutgoing = 1000

	// offerTime is how long a published transaction is on offer that no wallet
	// has taken charge of.
	offerTime = time.Hour

	// announceEvery is how often what is on offer is announced again: a peer
	// may have dropped it. One that has it does not ask.
	announceEvery = 10 * time.Minute
)

// add puts a transaction on offer. If it is, the new one replaces it: the hash does not
// cover the signatures.
func (o *outgoing) add(hash chainhash.Hash, tx *wire.MsgTx) *publication {
	if p := o.txs[hash]; p != nil {
		p.tx = tx
		return p
	}
	if o.txs == nil {
		o.txs = make(map[chainhash.Hash]*publication)
	}
	if len(o.order) == maxOutgoing {
		o.remove(o.order[0])
	}
	p := &publication{tx: tx, announcedTo: make(map[string]bool)}
	o.txs[hash] = p
	o.order = append(o.order, hash)
	return p
}

// offer is add for an hour at least.
func (o *outgoing) offer(tx *wire.MsgTx, now time.Time) {
	p := o.add(tx.TxHash(), tx)
	if end := now.Add(offerTime); end.After(p.expires) {
		p.expires = end
	}
}

func (o *outgoing) remove(hash chainhash.Hash) {
	if p := o.txs[hash]; p != nil {
		p.settle()
	}
	delete(o.txs, hash)
	o.order = slices.DeleteFunc(o.order, func(h chainhash.Hash) bool { return h == hash })
}

// recollect has it looked at what the wallets want in the chain.
func (o *outgoing) recollect() { o.changed = true }

// collect takes over what the wallets want in the chain now, if that may have changed. It
// reports whether a transaction is new.
func (o *outgoing) collect(wallets []*walletState) (added bool) {
	if !o.changed {
		return false
	}
	o.changed = false
	for _, p := range o.txs {
		p.pending = false
	}
	for _, w := range wallets {
		for _, tx := range w.pending {
			hash := tx.TxHash()
			added = added || o.txs[hash] == nil
			o.add(hash, tx).pending = true
		}
	}
	return added
}

// due reports whether all have to be announced again, and notes that they are.
func (o *outgoing) due(now time.Time) bool {
	if len(o.order) == 0 || now.Before(o.again) {
		return false
	}
	if !o.again.IsZero() {
		for _, p := range o.txs {
			clear(p.announcedTo)
		}
	}
	o.again = now.Add(announceEvery)
	return true
}

// alarm is for the next answer to a caller of Publish, the end of an offer, or the time to
// announce all again.
func (o *outgoing) alarm(a *alarm, following bool) {
	for _, p := range o.txs {
		if p.call != nil {
			a.at(p.call.deadline(a.now))
		}
		if !p.pending {
			a.at(p.expires)
		}
	}
	if len(o.order) > 0 && following {
		a.at(o.again)
	}
}

// handOver answers those who wait, and leaves what is on offer for another engine, whose
// peers know nothing of it.
func (o *outgoing) handOver() {
	for _, p := range o.txs {
		p.settle()
		clear(p.announcedTo)
	}
}

// publish begins a call of Publish. Peers that have asked for the transaction because a
// wallet has it have done so all the same: they will not ask again.
func (p *publication) publish(call *publishCall, connected func(addr string) bool, now time.Time) {
	p.requestedBy = slices.DeleteFunc(p.requestedBy, func(addr string) bool { return p.published || !connected(addr) })
	p.published, p.call, p.expires = true, call, now.Add(offerTime)
	clear(p.announcedTo)
}

// announced notes that it was announced to a peer.
func (p *publication) announced(addr string) { p.announcedTo[addr] = true }

// requested notes that a peer asks for it, and reports whether that is the first time.
func (p *publication) requested(addr string) (first bool) {
	if slices.Contains(p.requestedBy, addr) {
		return false
	}
	p.requestedBy = append(p.requestedBy, addr)
	return true
}

// complete reports whether nothing more can come for the caller of Publish.
func (p *publication) complete() bool { return p.call.complete(p.announcedTo, p.requestedBy) }

// settle answers the caller of Publish.
func (p *publication) settle() {
	if p.call != nil {
		p.call.settle(p.announcedTo, p.requestedBy)
		p.call = nil
	}
}
