// Package wallet keeps one watch-only Decred wallet in one file: what it
// watches, which blocks that was tested on, the coins and transactions that
// were found, and a log of everything that happened. It holds no private keys.
//
// # Use
//
// A wallet works without a network. Open it, say what to watch, and hand it to
// a Syncer of package spv, which fulfils what the wallet then wants:
//
//	w, err := wallet.Open("alice.db", chaincfg.MainNetParams())
//	...
//	defer w.Close()
//	err = w.Watch(ctx, wallet.Watch{Addresses: addrs, XPubs: keys, From: birthday})
//	...
//	s, err := spv.New(spv.Config{DataDir: dir, Wallets: []spv.Wallet{w}})
//	go s.Run(ctx)
//	for ev, err := range w.Events(ctx, cursor) {
//		...
//	}
//
// # Scanning follows from watching
//
// For every watched script the wallet knows which heights it was tested on:
// its coverage. Scripts of equal coverage form a group. Every block between a
// script's birthday and the tip that it was not tested on is missing. NextScan gives
// out a range of missing blocks, Apply takes the blocks of it that match. So a new
// address, an address derived while scanning, a Rescan, a reorg and an interrupted run
// are all the same thing, blocks not tested yet, and nobody has to remember to scan.
//
// A matching block is searched for all watched scripts and all known coins.
// Filters hold the scripts of the outputs that a block makes and of those that it
// spends: whoever finds a coin also finds where it went. The result is the same as if
// a scan had known every script from the start.
//
// Scans go upwards, from the birthday on: a coin is known before the block is read
// that spends it. New blocks come first for whatever was tested on the tip, and do
// not wait for what was added late. Scripts that miss the same blocks share one pass.
//
// # Outpoints
//
// A single output can be watched too. Filters do not hold outpoints, so its script
// is tested, and of what pays that script only this output counts. It is an entry
// of the watch set beside its script, with a birthday and coverage of its own:
// watching the script as well, before or after, or no longer, changes nothing for
// the outpoint, and whichever of them claims a coin keeps it in the wallet.
//
// # Accounts
//
// Of an extended public key the addresses of both branches are watched up to
// Gap indices behind the last one that the chain uses. When a block uses
// one of them, further ones are watched with the account's birthday, and all blocks
// since then are missing. To keep that small, addresses ahead of the gap are tested
// along with the others before they are watched. When a reorg takes a use away, the
// addresses that it had reached are not watched any more.
//
// So the set of watched scripts, the coins, the history and the next address depend on
// what the owner watches and on the best chain, and not on how the wallet got there: a
// restored one has the same. Transactions that wait to be mined count up to one gap
// further, and change nothing of that.
//
// With PubKeys the outputs that pay the public keys themselves are found too. Each
// index then has two scripts, which come, are used and go together.
//
// NextAddress gives out fresh receiving addresses, each once and none that a
// restored wallet would not find: what makes the gap reach it is 24 blocks deep.
// Warnings tells where the chain shows that a gap was nearly passed, or that an account
// was used before its birthday.
//
// # What counts
//
// A transaction counts where the chain says it does. The regular transactions
// of a block that the votes in the next one disapprove have no effect; they
// become unmined. Rewind makes transactions of undone blocks unmined too, except
// those that can't be mined again: coinbases and votes. One that a transaction of
// the new branch leaves nothing to spend is in conflict, and all that spend its
// outputs are.
//
// Unmined transactions are information: they have a net effect of their own in
// the balance, and never lock or spend a coin. Those of the owner come by
// AddUnmined and are announced (Pending) until they are mined or can't be; those that
// peers send come by AddRelayed, are bounded, and forgotten after a day. All are checked as
// nodes do it as far as what they spend is known, when they come and again when more of
// that is found: form, sums, tree and kind of what is spent and whether it has matured,
// and of coins of the wallet the signatures. So whatever takes coins of the wallet is
// signed with its keys; of what only pays it nothing is sure.
//
// Of several that spend the same output only one has an effect: an own one
// before others, then what a block had or what takes coins of the wallet, and else the
// one that came first. The others are behind it, and so is what spends their outputs;
// of own ones only the first is announced. The effect of a transaction changes with the others,
// with the coins that are found and with what is watched. Mined below the birthday of
// what it concerns, it is no part of the wallet any more.
//
// # What others can do to a wallet
//
// Whoever knows an address can make up payments to it. What such payments add is bounded: 1000
// transactions in 4 MiB wait at most, each with at most 100 inputs and outputs that are
// the wallet's; 4 places of 4 KiB, and of 1 KiB in the log, are forgiven for a block; no
// more than 2 MiB of events tell of them between two blocks, and of 100,000 events at
// most 100 MiB are kept (KeepEvents). A flood without end by eight peers makes a file of
// less than 7 MB, and grow by some 2 MB a day until the log is full. Who sends what
// no node takes is not heard of before the next block. One that does not concern the
// wallet takes microseconds, as does a block that does not, whatever waits.
//
// # The event log
//
// Events replayed in order make a model of the wallet: the history are the
// EventMined that no later event about the same transaction has taken away; the
// outputs are their credits less their debits; an output is spendable when the
// last EventTip or EventReorg is at a height of at least Credit.Matures-1, a
// ticket never; what waits to be mined are the EventUnmined likewise, and the sum
// of their Net is Balance.Unconfirmed. An EventReorg tells the fork and comes
// before the events of the transactions that it undoes. An EventTip is no entry of the
// log, and is told at its end.
//
// All events of one change, such as a batch of blocks, get into the log at once,
// and those of what waits come last. So a model that has read a part of them may
// be ahead of the wallet in one thing and behind in another; with the last one it
// is the wallet.
//
// # Tickets
//
// A ticket locks its price until it votes or is revoked, and commits to whom that
// goes back. It is a coin of the wallet as far as it is to pay the wallet in the end:
// for its share of the price, whoever pays for the ticket and whoever votes with it.
// What it earns comes on top when it votes. Of a ticket that others get back nothing
// is the wallet's, though it may have paid for it or vote with it.
//
// # What it does not do
//
// It has no private keys: it signs nothing, builds no transaction and reserves no coin.
// It does not connect to anybody; a Syncer brings the blocks. It does not check blocks,
// filters or proof of work: it believes the Syncer. It knows no exchange rates.
//
// An output is found by its script, since that is what filters hold. So an output that
// pays a public key is not found by the address of the key's hash; Watch.PubKeys
// finds those that pay the keys of accounts. And a ticket is
// found by whom it commits to pay and by what it spends, not by whom it lets vote. That a
// ticket was called and did not vote is seen when it is revoked.
//
// # Durability
//
// Everything that follows from one batch of blocks is one transaction in the
// file: position, coverage, coins, history and events. Killed at any
// instruction, the next start goes on from there. Blocks that hold nothing of the wallet
// are written with the next change, those of a day together, or by Close: after a kill
// they are tested again (progress.go). A damaged file is reported and never repaired by
// leaving out what can't be read.
//
// Each record ends with a checksum over its bucket, key and value, which is looked at
// whenever it is read. Of each bucket the number of records and the sum of their checksums
// are kept, and compared by whoever reads all of it, such as History or UTXOs. Events are
// numbered without gaps. So a record that has changed or moved is never taken for the right
// one, and one that has vanished is missed in a list. Open reads everything if the file is
// small, or was not closed in good order or was changed since; else what is watched, and
// none of the history. Verify reads everything. A file of another version is refused and
// left as it is.
//
// # How the code is laid out
//
// A method that writes makes a change (change.go): one transaction of the file, which
// keeps its first error. What follows from a change is worked out at its end, and
// finish.go is the list of it. Two parts know nothing of files: internal/coverage, the
// ledger of what was tested, and internal/keys, the scripts of an account. The rest goes by
// what it keeps: how far it is (position.go, progress.go), the watch set (watchset.go, script.go, account.go, branch.go), coins and
// history (coin.go, mined.go), pending transactions (pool.go, pendingtx.go, pending.go),
// the log (events.go), and below them the sealed buckets (schema.go, bucket.go). A field
// is assigned only in the file that declares it.
package wallet
