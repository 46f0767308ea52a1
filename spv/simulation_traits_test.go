package spv_test

import (
	"math/rand/v2"
	"net"
	"time"

	"dcrspv/spv/spvtest"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/wire"
)

// A trait is one thing that is wrong with a peer. draw puts a random variant of
// it into a behaviour.
type trait struct {
	name string

	// proved: data that it sends proves it a liar, and once it has been asked
	// for such data it must be banned.
	proved provedBy

	// talks: it sends what nobody asked for, or what is of no use, so that more
	// bytes are received than one copy has.
	talks bool

	draw func(d *draw, b *spvtest.Behaviour)
}

// provedBy is the request whose answer proves a liar.
type provedBy int

const (
	notProved provedBy = iota
	byFilters
	byBlocks
)

// draw is what a trait is drawn from.
type draw struct {
	*rand.Rand
	chain *spvtest.Chain
}

// between returns a number from..to.
func (d *draw) between(from, to int) int { return from + d.IntN(to-from+1) }

func (d *draw) pause(from, to time.Duration) time.Duration {
	return from + time.Duration(d.Int64N(int64(to-from)+1))
}

// somewhere is a height of the chain, or 0 for everywhere.
func (d *draw) somewhere() uint32 {
	if d.IntN(2) == 0 {
		return 0
	}
	return uint32(d.between(1, int(d.chain.Height())))
}

func pick[T any](d *draw, of ...T) T { return of[d.IntN(len(of))] }

// commands are those that a client sends.
var commands = []string{
	wire.CmdVersion, wire.CmdVerAck, wire.CmdGetHeaders, wire.CmdGetCFiltersV2, wire.CmdGetCFilterV2,
	wire.CmdGetData, wire.CmdPing, wire.CmdSendHeaders, wire.CmdGetAddr, wire.CmdInitState, wire.CmdPong,
}

// traits are all the ways in which a peer can be of no use or do harm.
var traits = []trait{
	{name: "silent", draw: func(d *draw, b *spvtest.Behaviour) {
		b.Silent = map[string]bool{"*": true}
	}},
	{name: "polite", draw: func(d *draw, b *spvtest.Behaviour) { // answers pings, and that is all
		b.Silent = silentTo(wire.CmdGetHeaders, wire.CmdGetCFiltersV2, wire.CmdGetCFilterV2, wire.CmdGetData)
		b.NoAnnounce = d.IntN(2) == 0
	}},
	{name: "silent to one", draw: func(d *draw, b *spvtest.Behaviour) {
		b.Silent = silentTo(pick(d, commands...))
	}},
	{name: "silent to two", draw: func(d *draw, b *spvtest.Behaviour) {
		b.Silent = silentTo(pick(d, commands...), pick(d, commands...))
	}},
	{name: "headers only", draw: func(d *draw, b *spvtest.Behaviour) {
		b.Silent = silentTo(wire.CmdGetCFiltersV2, wire.CmdGetCFilterV2, wire.CmdGetData)
	}},
	{name: "silent handshake", draw: func(d *draw, b *spvtest.Behaviour) { b.SilentHandshake = true }},
	{name: "black hole", draw: func(d *draw, b *spvtest.Behaviour) { b.BlackHole = true }},
	{name: "refuses", draw: func(d *draw, b *spvtest.Behaviour) { b.RefuseConnections = true }},
	{name: "slow to dial", draw: func(d *draw, b *spvtest.Behaviour) { b.DialLatency = d.pause(time.Second, 15*time.Second) }},
	{name: "slow", draw: func(d *draw, b *spvtest.Behaviour) { b.Latency = d.pause(time.Second, 40*time.Second) }},
	{name: "narrow", draw: func(d *draw, b *spvtest.Behaviour) { b.Bandwidth = d.between(100, 20000) }},
	{name: "not found", draw: func(d *draw, b *spvtest.Behaviour) { b.NotFound = true }},
	{name: "quiet", draw: func(d *draw, b *spvtest.Behaviour) { b.NoAnnounce = true }},
	{name: "boasts", draw: func(d *draw, b *spvtest.Behaviour) {
		over := pick(d, 1, 2, 7, 100, 2000, 1<<30)
		b.AdvertisedHeight = int32(int(d.chain.Height()) + over)
	}},
	{name: "understates", draw: func(d *draw, b *spvtest.Behaviour) {
		b.AdvertisedHeight = pick(d, -1, 1, int32(d.chain.Height()/2), int32(d.chain.Height()-3))
	}},
	{name: "lags a little", draw: func(d *draw, b *spvtest.Behaviour) { b.Lag = uint32(d.between(1, 6)) }},
	{name: "lags", draw: func(d *draw, b *spvtest.Behaviour) { b.Lag = uint32(d.between(7, 500)) }},
	{name: "drops after", draw: func(d *draw, b *spvtest.Behaviour) { b.DropAfter = d.between(1, 15) }},
	{name: "drops on", draw: func(d *draw, b *spvtest.Behaviour) { b.DropOn = silentTo(pick(d, commands...)) }},
	{name: "no services", draw: func(d *draw, b *spvtest.Behaviour) { b.Services = spvtest.NoServices }},
	{name: "protocol", draw: func(d *draw, b *spvtest.Behaviour) { b.PVer = pick(d, uint32(8), 9, 10, 12) }},
	{name: "strange agent", draw: func(d *draw, b *spvtest.Behaviour) { b.UserAgent = "/\x1b[2J\n\u202e/" }},

	{name: "bad headers", talks: true, draw: func(d *draw, b *spvtest.Behaviour) {
		b.BadHeaders = spvtest.HeaderFault(d.between(int(spvtest.HeadersBadPoW), int(spvtest.HeadersUnlinked)))
		b.BadHeaderAt = d.somewhere()
	}},
	{name: "false filters", talks: true, proved: byFilters, draw: func(d *draw, b *spvtest.Behaviour) {
		b.BadFilters = pick(d, spvtest.FiltersFlipped, spvtest.FiltersEmpty, spvtest.FiltersSwapped)
	}},
	{name: "odd filters", talks: true, draw: func(d *draw, b *spvtest.Behaviour) {
		b.BadFilters = spvtest.FilterFault(d.between(int(spvtest.FiltersFlipped), int(spvtest.FiltersProof)))
		b.BadFilterAt = d.somewhere()
		b.BadFilterBelow = d.somewhere()
	}},
	{name: "false blocks", talks: true, proved: byBlocks, draw: func(d *draw, b *spvtest.Behaviour) {
		b.BadBlocks = pick(d, spvtest.BlocksDropTx, spvtest.BlocksChangedTx)
	}},
	{name: "odd blocks", talks: true, draw: func(d *draw, b *spvtest.Behaviour) {
		b.BadBlocks = spvtest.BlockFault(d.between(int(spvtest.BlocksDropTx), int(spvtest.BlocksUnasked)))
	}},
	{name: "floods", talks: true, draw: func(d *draw, b *spvtest.Behaviour) { b.InvFlood = d.between(1, 60) }},
	{name: "unasked", talks: true, draw: func(d *draw, b *spvtest.Behaviour) {
		for range d.between(1, 20) {
			b.Unsolicited = append(b.Unsolicited, d.message())
		}
	}},
	{name: "chatters", talks: true, draw: func(d *draw, b *spvtest.Behaviour) { // a message more with every answer
		msgs := []wire.Message{d.message(), d.message(), d.message()}
		b.Hook = func(c *spvtest.Client, msg wire.Message) bool {
			if msg.Command() != wire.CmdPong { // which would go on for ever
				c.Send(msgs[len(msg.Command())%len(msgs)])
			}
			return false
		}
	}},
	{name: "garbage", talks: true, draw: func(d *draw, b *spvtest.Behaviour) {
		b.Garbage = make([]byte, d.between(1, 5000))
		for i := range b.Garbage {
			b.Garbage[i] = byte(d.Uint32())
		}
	}},
	{name: "other network", draw: func(d *draw, b *spvtest.Behaviour) { b.Magic = pick(d, wire.MainNet, wire.TestNet3) }},
}

// endless is kept apart: it makes valid blocks, so it costs time to see through
// it, and time to mine them.
var endless = trait{name: "endless headers", talks: true, draw: func(d *draw, b *spvtest.Behaviour) {
	b.BadHeaders = spvtest.HeadersEndless
	b.AdvertisedHeight = int32(d.chain.Height()) + int32(pick(d, 1, 2000, 100000))
	if d.IntN(2) == 0 {
		b.Silent = silentTo(wire.CmdGetCFiltersV2, wire.CmdGetCFilterV2)
	}
}}

func silentTo(commands ...string) map[string]bool {
	m := make(map[string]bool)
	for _, c := range commands {
		m[c] = true
	}
	return m
}

// message is one that nobody has asked for.
func (d *draw) message() wire.Message {
	tip := d.chain.Height()
	switch d.IntN(9) {
	case 0: // right headers of the end
		return d.chain.Headers(tip-uint32(d.IntN(20)), tip)
	case 1: // old ones
		from := uint32(d.between(1, int(tip)))
		return d.chain.Headers(from, min(tip, from+uint32(d.IntN(100))))
	case 2: // none
		return wire.NewMsgHeaders()
	case 3:
		return d.chain.Block(uint32(d.between(1, int(tip))))
	case 4:
		h := uint32(d.between(1, int(tip)))
		return &wire.MsgCFilterV2{BlockHash: d.chain.Hash(h), Data: d.chain.Filter(h)}
	case 5:
		m := wire.NewMsgAddr()
		for range d.between(1, 100) {
			ip := net.IPv4(byte(d.between(1, 223)), byte(d.Uint32()), byte(d.Uint32()), 1)
			m.AddAddress(wire.NewNetAddressIPPort(ip, uint16(d.between(1, 65535)), wire.SFNodeNetwork))
		}
		return m
	case 6:
		m := wire.NewMsgNotFound()
		h := d.chain.Hash(uint32(d.between(1, int(tip))))
		m.AddInvVect(wire.NewInvVect(wire.InvTypeBlock, &h))
		return m
	case 7:
		m := wire.NewMsgInv()
		h := chainhash.HashH([]byte{byte(d.Uint32())})
		m.AddInvVect(wire.NewInvVect(pick(d, wire.InvTypeBlock, wire.InvTypeTx), &h))
		return m
	}
	return wire.NewMsgPing(d.Uint64())
}
