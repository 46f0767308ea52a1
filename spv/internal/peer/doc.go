// Package peer is one connection to one Decred node: it makes the handshake, keeps
// the connection alive, and turns requests into answers. It decides nothing
// about the chain. The caller finds out whether headers, filters and blocks are
// valid; this package only makes sure that an answer belongs to its request.
//
// # Life of a connection
//
//	conn, err := dial(...)
//	p, err := peer.Handshake(ctx, conn, addr, &cfg) // at most 5 seconds
//	go func() { ended <- p.Run(ctx, handler) }()
//	headers, err := p.Headers(ctx, locator, stop)   // from any goroutine
//
// A Peer has three goroutines. The caller of Run is the reader: it decodes one
// message after the other, gives answers to their requests and everything else to
// the Handler. The writer is the only one that writes to
// the connection. The third sends a ping every minute. There is no goroutine
// for a message and none for a request: Headers, Filters and Blocks are plain
// calls that return when the answer is there. Transactions are small and many:
// RequestTxs only sends the request, and each transaction comes to the Handler.
// So do messages that only the program has a use for, those of mixing above all:
// they are asked for with Send, and otherwise skipped.
//
// # What is waited for, and how long
//
//	the remote's version message    3 s after the connection
//	the whole handshake             5 s
//	the answer to a ping           15 s, longer while bytes arrive
//	progress of a request          30 s, longer while an answer comes in, however slowly if
//	                               many connections share the line
//	a message to be written        30 s
//
// # How an answer finds its request
//
// dcrd answers in order, but nothing in the protocol promises it, and a node
// stays silent about a filter it does not have. So an answer is matched by its
// content: a block by its hash, a batch of filters by its first or last block,
// a pong by its number. Only `headers` have nothing that tells their request. So at
// most one getheaders is outstanding, and after sendheaders there is none at all,
// because an announcement looks exactly like an answer; from then on all headers go
// to the Handler.
//
// A request ends with its answer, its context, the connection, or after 30
// seconds without progress of its own. The answer to a request that was given
// up may still arrive: it is dropped, and is no fault of the remote.
//
// # What a remote may send
//
// An answer is welcome once for each request, and a getdata once for each
// transaction or mixing message that we announced. For everything else there is a limit per kind of
// message, far above what a node has reason to send (the numbers and their
// sources are in limits.go):
//
//	                            at once   a minute
//	inv           messages        5,000      1,200     500 at first
//	              and these       1,200     18,000   in a short time
//	              items          12,000     30,000
//	headers       messages        5,000      1,200     500 at first
//	              and these       1,200     18,000   in a short time
//	              headers        12,000      1,200
//	getdata       items              10          1   never announced, or asked for before
//	notfound      items              10          1   never asked for
//	ping          messages           20         60
//	getheaders    messages           50         60
//	version, verack, getinitstate    10          6
//	tx            messages          100         60   skipped
//	block, cfilterv2, cfiltersv2     10          1   skipped
//	pong, addr, addrv2               10          6   skipped
//	all others    messages          200        600   skipped
//	skipped       bytes           4 MiB      4 MiB
//	asked for     bytes of tx     8 MiB     16 MiB
//	asked for     bytes of mix   32 MiB     16 MiB
//
// The first column is used up, and comes back at the rate of the second. At first
// there is less where the table says so, so that a burst has to be earned.
//
// One message more ends the connection with ErrFlood. That is decided by the
// command and the length, before any of the payload is read. Answers without a
// request, and messages that a light client does not use, known to this package or
// not, are skipped: neither held in memory nor hashed.
//
// # What is bounded
//
// The length of a message is checked against its command and the network before
// anything is done with it, and memory for it is taken as it arrives. During the
// handshake nothing is read before the version message.
//
// A connection holds at most, in bytes on the wire (decoded, they take up to
// twice that):
//
//	a message that nobody asked for     432 kB: 12,000 announcements
//	an answer being read                10 MB on mainnet, 26 MB elsewhere: 100 filters
//	a mixing message                    1 MiB (decoded, up to 13)
//	blocks for each call of Blocks      4, of at most 393,216 bytes on mainnet
//	messages to be written              8 MiB, and 1064 messages
//	hashes of what was announced,
//	asked for and given up              4000
//
// Messages that answer no request go to the Handler. While the Handler is busy nothing
// is read, so that the remote's own send buffer fills up. The time of the Handler does
// not count against the remote. A remote that makes requests faster than it reads the
// answers loses the connection.
package peer
