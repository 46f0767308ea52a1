// Package spvtest is a Decred network in memory: chains that are built to order
// and peers that serve them, honest and hostile. Tests, benchmarks and the demo
// of the product use it in place of real nodes.
//
// # Chains
//
// A [Chain] is made by its builder, not by consensus, but everything that a
// light client can check is right: links, heights, proof of work, difficulty,
// ticket price, votes, merkle roots and the commitment of every header to its
// filter. Most blocks are filler, a coinbase to nobody: of those only the header
// and the filter are kept, and the block is made again when somebody asks. So a
// chain of a million blocks takes seconds and a few hundred megabytes.
//
//	c := spvtest.NewChain(nil)                     // simnet
//	c.Mine(1000)                                   // filler
//	pay := c.Pay(script, 5e8)                      // pays a watched script
//	id := c.MineBlock(pay)
//	c.MineBlock(c.Spend([]wire.OutPoint{spvtest.OutPoint(pay, 0)}, out))
//	b := c.Fork(id.Height - 1)                     // a branch without the payment
//	b.Mine(3)
//	want := c.Truth([][]byte{script})              // what a wallet must find
//
// [Chain.Save] and [Load] keep a long chain in a file: reading a million blocks
// takes a second, making them a minute.
//
// Not made: signatures (they are random bytes), the ledger behind made-up coins
// and, in filler, the votes and tickets that headers count.
//
// # Peers
//
// A [Peer] speaks the wire protocol of dcrd over any net.Conn and serves the
// chain it was given, as long as that was when it was given: blocks mined later
// are served after [Peer.SetChain], which also announces them. The zero
// [Behaviour] is that of dcrd 2.1.3; its fields make the peer slow, silent, wrong
// or malicious, and can be changed while clients are connected. Whatever clients
// ask is counted, and what dcrd would drop or ban them for is a [Violation].
//
// # Adversaries
//
// An [Adversary] makes a peer hostile in ways that nobody has listed: whenever
// the peer could send something, it chooses from everything that is well formed
// (the honest answer, an older, shifted, repeated, partial or empty one, a side
// branch, silence, floods, hanging up), at any speed up to just under the limits
// of the client. What it chooses comes from a [Policy] and a seed. A [Memory]
// keeps which policies held the client up; the best are varied.
//
//	m := spvtest.NewMemory(5*time.Second, 30*time.Second) // the client's patience
//	a := spvtest.NewAdversary(p, rand.New(rand.NewPCG(seed, 0)), m)
//	go a.Run(ctx)                                         // good until here
//	m.Reward(a.Policy(), time.Second, behind)             // each second
//
// # Networks
//
// A [Network] gives peers addresses; its Dial method stands in for a dialer.
// Connections are buffered pipes with deadlines. Nothing here blocks on a mutex
// or a system call, so a network works inside a testing/synctest bubble: dial it
// there, and close the network before the bubble ends. The clock of a bubble
// starts in the year 2000, before any block: let it pass the tip first.
//
//	time.Sleep(time.Until(c.Time()))
//
// [Peer.ListenTCP] serves real sockets too.
package spvtest
