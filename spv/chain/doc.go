// Package chain decides which headers are the Decred block chain.
//
// A light wallet has no ledger, so it cannot check transactions. What it can
// check is work: every header proves that somebody has spent energy on it, and
// commits to the transactions of its block and to a filter of its scripts. The
// chain of valid headers with the most work is the chain; blocks and filters are true
// if they fit its headers, whoever sends them.
//
// # The way of a header
//
// Bytes from a peer become a slice of Header, 180 bytes each, which are never
// decoded: fields are read in place and the hash is taken of the bytes at hand.
//
//	batch, err := rules.Check(headers)    // any goroutine: no context, no state
//	update, err := chain.Add(batch, now)  // the one owner of the Chain
//
// Check makes the costly checks, which need only the headers: hashes, links, proof of
// work. Add makes the checks that need the ancestors: the difficulty and the ticket
// price that they demand, the median of their times, outdated block versions,
// checkpoints. It then puts the headers on their branch, and makes that the best chain
// if it has more work.
//
// # Rules by height
//
// Stakeholders vote on rule changes, and a header does not tell the outcome of a
// vote. The votes that matter here are history on mainnet and testnet3 and decided
// by the parameters elsewhere, so each rule is applied strictly by height (see
// NewRules). There is never a choice of two rules: a header that satisfies the
// wrong hash function, the wrong difficulty rule or the wrong merkle rule for
// its height is invalid.
//
// Not checked, because it takes the blocks or the ledger:
//
//   - the ticket lottery: final state, pool size, which tickets voted and what
//     they voted (the vote bits after the stake validation height);
//   - the counts of votes, tickets and revocations, beyond their limits;
//   - the stake version when it changes: the votes that it counts are in blocks.
//     Headers show that it is zero until there was a whole interval of votes, and
//     does not change within an interval, and that much is checked;
//   - a limit on the block size that was voted down: the largest that a network
//     could vote for is taken.
//
// Not checked although it could be: the ticket price before DCP0001, on mainnet
// below height 149248, where it changes (every 144 blocks). Another rule was in
// force there, and checkpoints vouch for the blocks.
//
// # Checkpoints and known work
//
// Work is relative: a chain of a few cheap blocks is valid too, until a better
// one comes. Two facts keep a wallet from being led into such a chain.
//
// Checkpoints are blocks of the past that are beyond doubt. Another block at the
// height of a checkpoint is refused, and so is any branch that leaves the best
// chain below a checkpoint it has reached. A branch that reaches a checkpoint is the
// best chain, whatever the work of others.
//
// MinKnownChainWork (of chaincfg) is what the network is known to have done.
// A chain below it is not Proven: it is held in memory, bounded, and only the
// part up to its last checkpoint is offered for storage.
//
// # Memory and storage
//
// A Chain holds the newest headers of the best chain, what is not stored yet,
// and the side branches, at most 20,000 headers of those. A branch that is
// overtaken becomes a side branch, so work that swings back and forth costs
// nothing but memory. Older headers are read from a Source. A reorganization can go
// below the headers in memory, at the cost of reading. A branch of more than 20,000
// headers that has not more work yet exceeds the bound (ErrLowWork). If more than 20,000
// blocks leave the best chain, they are not kept as a branch.
//
// The Chain does no I/O of its own. Its owner asks Unstored what to write,
// writes it in a goroutine of its choice, and reports with Stored; the chain may
// move on meanwhile.
//
// # Errors
//
// Every rule has an ErrorKind, to be tested with errors.Is. ErrOrphan, ErrFuture,
// ErrLowWork and ErrSource are not proofs of anybody's fault; all others are.
package chain
