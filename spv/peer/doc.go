// Package peer is one connection to one Decred node: it shakes hands, keeps
// the connection alive, and turns requests into answers. It decides nothing
// about the chain. Whether headers, filters and blocks are valid is for the
// caller to find out; this package only makes sure that an answer belongs to
// its question.
//
// # Life of a connection
//
//	conn, err := dial(...)
//	p, err := peer.Handshake(ctx, conn, addr, &cfg) // at most 5 seconds
//	go func() { ended <- p.Run(ctx, handler) }()
//	headers, err := p.Headers(ctx, locator, stop)   // from any goroutine
//
// A Peer has three goroutines. The caller of Run is the reader: it decodes one
// message after the other, gives answers to whoever waits for them and
// everything else to the Handler. The writer is the only one that writes to
// the connection. The third sends a ping every minute. There is no goroutine
// for a message and none for a request: Headers, Filters and Blocks are plain
// calls that return when the answer is there. Transactions are small and many:
// RequestTxs only asks, and each one comes to the Handler.
//
// # What is waited for, and how long
//
//	the remote's version message    3 s after the connection
//	the whole handshake             5 s
//	the answer to a ping           15 s, longer while bytes arrive
//	progress of a request          30 s
//	a message to be written        30 s
//
// # How an answer finds its question
//
// dcrd answers in order, but nothing in the protocol promises it, and a node
// stays silent about a filter it does not have. So an answer is matched by its
// content: a block by its hash, a batch of filters by its first or last block,
// a pong by its number. Only `headers` carry no mark. At most one getheaders
// is therefore outstanding, and after sendheaders there is none at all, because
// an announcement looks exactly like an answer; from then on all headers go to
// the Handler.
//
// A request ends with its answer, its context, the connection, or after 30
// seconds without progress of its own. The answer to a request that was given
// up may still arrive: it is dropped, and is no fault of the remote.
//
// # What is bounded
//
// The length of a message is checked against its command before anything is
// done with it, and memory for it is taken as it arrives. Commands that a light
// client has no use for are skipped unread, known to this package or not. During
// the handshake nothing is read before the version message.
//
// Messages that nobody waits for wait for the Handler, and while the Handler
// is busy nothing is read, so that the remote's own send buffer fills up. Time
// the Handler takes is not held against the remote. What we have to send waits
// in a queue of 64 messages, and transactions in one of 1000; a remote that asks
// faster than it reads loses the connection.
package peer
