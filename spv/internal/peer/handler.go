package peer

import (
	"dcrspv/spv/chain"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/wire"
)

// Handler takes what arrives without being waited for. Its methods are called
// from Run, one at a time and in the order of arrival. They may block: nothing
// is read from this connection meanwhile. They must not wait for an answer of
// the same Peer, and should return soon after the context of Run has ended.
// Slices and messages belong to the Handler. One that keeps them for later has to
// bound how many bytes those are: at once a remote may send 12,000 items or
// headers, 8 MiB of transactions, and 32 MiB of mixing messages.
type Handler interface {
	// Headers receives announcements, and after SendHeaders every headers
	// message, empty ones included.
	Headers(headers []chain.Header)

	// Inv receives announcements of blocks, transactions and mixing messages, never empty.
	Inv(inv []*wire.InvVect)

	// GetData receives requests for transactions and mixing messages that we
	// announced, never empty, and for ten items at most that were not. The answer
	// is a Serve or Send for each, or NotFound.
	GetData(inv []*wire.InvVect)

	// Addrs receives addresses of other full nodes, as host:port, after
	// RequestAddrs: at most 1000 in all, each said to have been seen within
	// 24 hours. The host is an IP address or, from protocol version 12 on, an
	// onion address, which only a proxy can reach.
	Addrs(addrs []string)

	// Tx receives a transaction that was asked for with RequestTxs. Nothing
	// about it is verified but its hash.
	Tx(tx *wire.MsgTx)

	// NotFound receives the hashes of transactions that were asked for with
	// RequestTxs, or of mixing messages that were with Send, and that the remote
	// does not have, never empty.
	NotFound(txs []chainhash.Hash)

	// Message receives a message that was asked for with Send: initstate, or a mixing
	// message, a MixMessage whose Hash is right. Nothing about it is verified but its
	// form.
	Message(msg wire.Message)
}

// maxBacklog is how many messages before the remote's verack are kept for the Handler.
const maxBacklog = 16

// callbacks calls the Handler. It belongs to the reader.
type callbacks struct {
	handler Handler         // nil during the handshake
	backlog []func(Handler) // calls that are kept until there is a Handler
	time    *handlerTime
}

// start sets the Handler, and makes the calls that were kept for it.
func (c *callbacks) start(h Handler) {
	c.handler = h
	for _, f := range c.backlog {
		c.make(f)
	}
	c.backlog = nil
}

// call calls the Handler, or keeps the call during the handshake. The error is
// ErrProtocol if there are too many.
func (c *callbacks) call(f func(Handler)) error {
	if c.handler != nil {
		c.make(f)
		return nil
	}
	if len(c.backlog) == maxBacklog {
		return protocolError("more than %d messages before verack", maxBacklog)
	}
	c.backlog = append(c.backlog, f)
	return nil
}

func (c *callbacks) make(f func(Handler)) {
	c.time.begin()
	defer c.time.end()
	f(c.handler)
}
