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
// calls that return when the answer is there.
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
// The size of a message is checked against its command before it is read.
// Messages that nobody waits for wait for the Handler, and while the Handler
// is busy nothing is read, so that the remote's own send buffer fills up. Time
// the Handler takes is not held against the remote. What we have to send waits
// in a queue of 64 messages; a remote that asks faster than it reads loses the
// connection.
package peer
