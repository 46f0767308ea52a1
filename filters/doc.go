// Package filters verifies and searches the committed block filters of Decred
// (version 2 Golomb-coded sets, DCP0005).
//
// # What a filter is
//
// For every block a full node can build one small byte string, the filter: a
// compressed set of all scripts the block pays to or spends from, stake opcodes
// stripped. Since DCP0005 the header commits to it: the hash of the filter's
// bytes is the header's stake root. A light wallet downloads the filters,
// compares their [Hash] to the header, and asks each whether one of the
// wallet's scripts may be in its block. Only blocks whose filter says yes are
// downloaded. The answer "no" is certain; "yes" is wrong once in about 785,000
// pairs of script and block.
//
// # How one is searched
//
// The set is coded as follows (dcrd: gcs, blockcf2). Each script is hashed by
// SipHash-2-4 under a key that every block has of its own (the first 16 bytes
// of its merkle root), and the 64-bit hash is scaled down to the range
// [0, N*784931), N being the number of scripts in the block. The values are
// sorted, and the differences written as bits: a unary quotient and a 19-bit
// remainder.
//
// Because of the key, a wallet's scripts must be hashed anew for every block:
// with more than a handful of scripts that is where the time goes. So the work
// is laid out around the hashing:
//
//   - A [Query] is made once from the scripts of the wallet, and holds them
//     padded to the words SipHash eats, grouped by length.
//   - [Matcher.Match] decodes the small filter once into sorted values and a
//     bitmap of their high bits, then streams the scripts through: hash two at a
//     time, scale, look at one bit. Only the few that hit the bitmap are looked
//     up among the values. The scripts are never sorted.
//
// A Query is immutable and may be shared by any number of goroutines. A Matcher
// is the scratch memory of one goroutine; matching allocates nothing once the
// scratch has grown to the largest filter seen.
//
// The package is pure: no goroutines, no I/O, no clock and no globals.
package filters
