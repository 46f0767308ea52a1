package wallet

import (
	"cmp"
	"math"
	"slices"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/wire"
)

// pendingTx is a transaction that is not in the chain. One that is not active can't get
// into it any more; it is kept for a while because a reorg may bring it back, unless all
// we know of it is from a peer.
type pendingTx struct {
	id  hash
	msg *wire.MsgTx
	raw []byte

	seq     uint64 // order of arrival
	origin  origin
	arrived uint32 // the tip's height then, or the height of the block it was in
	since   uint32 // the blocks above this one may spend what it spends

	state     pendingState
	endHeight uint32 // of the block that ended it, unless it is active
	endTree   int8   // of the transaction that did

	own    bool   // given to AddUnmined
	proven []bool // by input: its script was run and holds
	behind hash   // see Unmined.Behind
	logged string // the effect in the log, see Unmined.digest
}

// origin says what a pending transaction is known from, last of all.
type origin uint8

const (
	fromOwner origin = iota // AddUnmined
	fromBlock               // one that was undone or disapproved
	fromPeer                // AddRelayed
)

// pendingState says whether a pending transaction can be mined, or why not.
type pendingState uint8

const (
	active pendingState = iota
	conflicted
	expired
	superseded // a ticket that locks less than the price
)

// isActive reports whether the transaction may be mined.
func (p *pendingTx) isActive() bool { return p.state == active }

// unverified: all that is known of it is that a peer has sent it.
func (p *pendingTx) unverified() bool { return p.origin == fromPeer && !p.own }

// end notes why the transaction can't be mined, or with active that it can.
func (p *pendingTx) end(state pendingState, height uint32, tree int8) {
	p.state, p.endHeight, p.endTree = state, height, tree
}

// stateOfChildren is why what spends it can't be mined either: as long as that is so.
func (p *pendingTx) stateOfChildren() pendingState {
	if p.state == superseded {
		return superseded
	}
	return conflicted
}

// arrive notes the order of arrival.
func (p *pendingTx) arrive(seq uint64) { p.seq = seq }

// sinceAtMost notes that the chain was undone down to a height, and reports whether that
// makes a difference.
func (p *pendingTx) sinceAtMost(height uint32) bool {
	if p.since <= height {
		return false
	}
	p.since = height
	return true
}

// resign gives it other signatures, and with fromOwner makes it the owner's.
func (p *pendingTx) resign(msg *wire.MsgTx, raw []byte, from origin) {
	p.own = p.own || from == fromOwner
	p.origin, p.msg, p.raw, p.proven = from, msg, raw, nil
}

// setEffect notes the effect that the log has from now on, and which one it is behind. It
// reports whether the log had another effect.
func (p *pendingTx) setEffect(digest string, behind hash) bool {
	news := p.logged != digest
	p.behind, p.logged = behind, digest
	return news
}

// unlog notes that its end is in the log.
func (p *pendingTx) unlog() { p.logged = "" }

// provable is the list of inputs whose scripts hold, for the caller to fill.
func (p *pendingTx) provable() []bool {
	if p.proven == nil {
		p.proven = make([]bool, len(p.msg.TxIn))
	}
	return p.proven
}

// encode: order of arrival 8, origin 1, arrived 4, since 4, state 1, end height 4, end
// tree 1, transaction.
func (p *pendingTx) encode() []byte {
	b := be.AppendUint64(make([]byte, 0, 23+len(p.raw)), p.seq)
	b = append(b, byte(p.origin))
	b = be.AppendUint32(be.AppendUint32(b, p.arrived), p.since)
	b = append(b, byte(p.state))
	b = be.AppendUint32(b, p.endHeight)
	return append(append(b, byte(p.endTree)), p.raw...)
}

func decodePending(k, v []byte, own bool) (*pendingTx, bool) {
	d := decoder{b: v}
	p := &pendingTx{own: own, seq: d.u64(), origin: origin(d.u8()), arrived: d.u32(), since: d.u32()}
	p.end(pendingState(d.u8()), d.u32(), int8(d.u8()))
	p.raw = d.rest()
	msg, ok := parseTx(p.raw)
	if !ok || !d.ok() || len(k) != chainhash.HashSize || p.origin > fromPeer || p.state > superseded {
		return nil, false
	}
	p.id, p.msg = hash(k), msg
	return p, true
}

// readPending reads the pending transactions in order of arrival, ended ones too.
func (b *buckets) readPending() ([]*pendingTx, error) {
	var out []*pendingTx
	err := b.unmined.ForEach(func(k, v []byte) error {
		p, ok := decodePending(k, v, b.own.Get(k) != nil)
		if !ok {
			return corrupt("unmined transaction %.40x", k)
		}
		out = append(out, p)
		return nil
	})
	slices.SortFunc(out, bySeq)
	return out, err
}

// bySeq orders by arrival.
func bySeq(a, b *pendingTx) int { return cmp.Compare(a.seq, b.seq) }

// staleAt is the height of the tip from which on a transaction of somebody else, which is
// kept for so many blocks, has waited for too long.
func (p *pendingTx) staleAt(keep uint64) uint64 { return uint64(p.arrived) + keep + 1 }

// due is the height of the tip at which the height alone changes it.
func (p *pendingTx) due(keep uint64) uint64 {
	if !p.isActive() {
		return uint64(p.endHeight) + keepEnded + 1
	}
	at := uint64(math.MaxUint64)
	if p.msg.Expiry != wire.NoExpiryValue {
		at = uint64(p.msg.Expiry) - 1
	}
	if !p.own {
		at = min(at, p.staleAt(keep))
	}
	return at
}

// parentsFirst sorts pending transactions so that each stands behind those whose
// outputs it spends, and otherwise as they are.
func parentsFirst(all []*pendingTx) []*pendingTx {
	byID := make(map[hash]*pendingTx, len(all))
	for _, p := range all {
		byID[p.id] = p
	}
	out := make([]*pendingTx, 0, len(all))
	var place func(p *pendingTx)
	place = func(p *pendingTx) {
		delete(byID, p.id)
		for _, in := range p.msg.TxIn {
			if parent := byID[in.PreviousOutPoint.Hash]; parent != nil {
				place(parent)
			}
		}
		out = append(out, p)
	}
	for _, p := range all {
		if byID[p.id] == p {
			place(p)
		}
	}
	return out
}
