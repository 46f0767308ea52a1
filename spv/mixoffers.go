package spv

import (
	"slices"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/wire"
)

// mixOffers are mixing messages of the program that peers may ask for: the latest ones.
type mixOffers struct {
	offers map[chainhash.Hash]*mixOffer
	order  []chainhash.Hash // of arrival
	bytes  int
}

type mixOffer struct {
	msg         wire.Message
	size        int             // in bytes, encoded
	announcedTo map[string]bool // by address
}

// maxMixOffers bounds them, in bytes. A mix of a hundred wallets takes some 300 kB of each.
const maxMixOffers = 8 << 20

// add puts a message on offer, and takes the oldest away if there are too many.
func (o *mixOffers) add(hash chainhash.Hash, msg wire.Message, size int) *mixOffer {
	if offer := o.offers[hash]; offer != nil {
		return offer
	}
	if o.offers == nil {
		o.offers = make(map[chainhash.Hash]*mixOffer)
	}
	offer := &mixOffer{msg: msg, size: size, announcedTo: make(map[string]bool)}
	o.offers[hash] = offer
	o.order = append(o.order, hash)
	o.bytes += size
	for o.bytes > maxMixOffers {
		oldest := o.order[0]
		o.bytes -= o.offers[oldest].size
		delete(o.offers, oldest)
		o.order = slices.Delete(o.order, 0, 1)
	}
	return offer
}

// announced notes that it was announced to a peer.
func (o *mixOffer) announced(addr string) { o.announcedTo[addr] = true }

// wantsMixes: a peer sent getdata of mixing messages.
type wantsMixes struct {
	s   *session
	inv []*wire.InvVect
}

// apply serves what was announced to the peer. Whoever could ask for more could find out
// who mixes.
func (ev wantsMixes) apply(e *engine) {
	var missing []*wire.InvVect
	for _, iv := range ev.inv {
		offer := e.mixes.offers[iv.Hash]
		if offer == nil || !offer.announcedTo[ev.s.addr] {
			missing = append(missing, iv)
			continue
		}
		if err := ev.s.peer.(MessageSource).Send(offer.msg); err != nil {
			return
		}
	}
	if len(missing) > 0 {
		ev.s.peer.NotFound(missing) // a full queue closes the connection by itself
	}
}
