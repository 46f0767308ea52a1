// Package spv keeps a Decred light client in sync: one Syncer that fetches and
// verifies headers and committed filters from untrusted peers, tests them for
// the scripts of its wallets, and fetches the blocks that match.
//
// # Use
//
//	w, err := wallet.Open("alice.db", chaincfg.MainNetParams())
//	s, err := spv.New(spv.Config{DataDir: dir, Wallets: []spv.Wallet{w}})
//	go s.Run(ctx)
//	err = s.Wait(ctx, spv.Synced)
//
// Run is the whole life cycle; its context ends it. What to scan is data in
// the wallet: watch something and the Syncer fetches what that takes.
//
// # How it works
//
// One goroutine, the engine, owns all sync state (engine.go, loop.go). It takes events (a
// connection stands, headers have come, a write is done), applies them, and
// then lets every stage start what should be running now. Waiting and heavy
// work happen on other goroutines: a reader and a writer for each peer and one for each
// request under way, one that writes chain.db, and one for each wallet. No lock is held
// while any of them waits. Each piece of state is a type that only its own file writes.
//
// The stages overlap and each does its work once, however many peers there are:
//
//   - headers (headers.go, newheaders.go): during the initial sync one peer at a time is
//     asked for headers, the fastest first, until everybody who claims a higher chain was
//     asked; where checkpoints lie ahead the others fetch what is between them (ahead.go);
//   - filters (filters.go): batches of up to 100 are spread over the peers and
//     written in height order;
//   - the filters from before DCP0005 (legacyverify.go), where no header commits to its
//     filter, are hashed as a whole while they are written. If the hash is not the
//     known one, full copies are fetched from one peer after the other, until
//     one has it, and with that shows what was wrong and who lied;
//   - scan (scan.go, locate.go, blocks.go, package scan): each wallet says which
//     blocks are to be tested; the stored filters are matched for all wallets in one
//     pass; the blocks that match are fetched once, and each wallet gets its own in one
//     batch, one transaction. A wallet that does not answer delays no other one;
//   - following (follow.go): once everything is in sync, every peer is asked to
//     announce new blocks by their headers.
//
// A request (request.go) is at one peer at a time (package requests). Only when it is late,
// measured against how fast others are, does a second peer get it, and twice as
// many when all of them are late. Peers whose speed nobody knows are tried beside
// slow ones, for headers too (explore.go), and while some have become slow that were
// fast a few are asked at once. While all who are connected are slow, others are let in
// and measured against them (crawl.go). On a slow line that is full nobody is late who
// delivers.
//
// A branch whose filters nobody serves is given up, and the chain starts again below it
// (unserved.go, giveup.go).
//
// While an answer comes in on a slow line its peer's claim counts (coming.go). Time in
// which the whole process stood still counts for nobody (away.go). The clock on the wall
// decides only which blocks are too early yet (clock.go) and what is said of an old
// tip (oldtip.go): setting it ends no ban, pause or connection.
//
// Stored data that turns out to be damaged ends the engine; it is dropped, and another
// engine fetches it again (mend.go). Nobody else is to blame for it.
//
// When nothing moves, Status.Trouble says what is wrong and what to do about it
// (situation.go, diagnose.go, trouble.go).
//
// Synced is computed from the state each time it is asked for. Losing all
// peers, a reorg or a new script make it false, and the same engine makes it
// true again: nothing is torn down.
//
// # What is trusted
//
// Nothing that a peer says. Headers obey the rules of package chain. A filter
// counts if the header commits to it, or if it belongs to the set with the known
// hash; a block if its merkle roots match. What a peer claims about its height
// makes it a candidate for headers and nothing more; a claim lives as long as it
// brings new headers. judge.go holds the one table of what each fault costs a peer.
//
// # Limits
//
// The filters from before DCP0005 (mainnet block 431488, testnet3 block 323328)
// are committed to only as a whole, so a birthday below that needs all of them
// before anything is scanned. Transactions that are in no block (relay.go) are
// fetched, all of them, and handed to the wallets; nothing about them can be
// verified. Messages that only the program has a use for, those of mixing above all, are
// fetched in the same way while it listens to them (messages.go, mixes.go), and are
// served for it (send.go, mixoffers.go).
package spv
