// Package dcrwallet keeps wallets of dcrwallet in sync: a Backend takes the place of
// dcrwallet's own package spv below its wallet.Wallet, and has headers, filters, blocks
// and unmined transactions from a spv.Syncer.
//
//	s, err := spv.New(spv.Config{DataDir: dir, Params: params})
//	b, err := dcrwallet.New(s, w, dcrwallet.Config{})
//	go s.Run(ctx)
//	go b.Run(ctx)
//	err = b.Wait(ctx) // the wallet shows what the tip says
//
// Any number of wallets hang on one Syncer, each with a Backend of its own. Headers and
// filters are fetched once for all of them. The wallet stores its own copy of both: that
// is how dcrwallet is made.
//
// # How it works
//
// One goroutine drives the wallet (run.go). It follows the Syncer's chain from the blocks
// that the wallet has, and moves the wallet along: each branch as a whole, and only to
// more work (advance.go). Until the Syncer is in sync for the first time blocks are given
// to the wallet without transactions. Then accounts and addresses in use are searched for
// (discover.go), and the blocks that the wallet has not processed are rescanned
// (catchup.go). From then on each block comes with its transactions, and what peers
// announce is added as unmined (unmined.go). Messages of mixing pass through (mixing.go).
//
// Either store may be ahead of the other: one that was deleted, or an old copy. What the
// wallet lacks it is given. A chain that has less work than that of the wallet changes
// nothing until it has more.
//
// # What is not there
//
// The Syncer has to hold all filters, because the wallet stores all: spv.Config.Birthday
// stays nil. There are no votes: which tickets win is known to full nodes only. dcrwallet's JSON-RPC and gRPC servers ask for its own package spv
// by its type, so they can't run on a Backend.
package dcrwallet
