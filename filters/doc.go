// Package filters searches the committed block filters of Decred (version 2
// Golomb-coded sets, DCP0005). Package chain verifies them.
//
// # What a filter is
//
// For every block a full node can build one small byte string, the filter: a
// compressed set of all scripts the block pays to or spends from, stake opcodes
// stripped. Since DCP0005 the header commits to it: the hash of the filter's
// bytes is the header's stake root. A light wallet downloads the filters,
// compares their hash to the header (chain.Rules.CheckFilter), and asks each
// whether one of the wallet's scripts may be in its block. Only blocks whose filter
// says yes are downloaded. The answer "no" is certain; "yes" is wrong once in about
// 785,000 pairs of script and block.
//
// # How one is searched
//
// The set is coded as follows (dcrd: gcs, blockcf2). Each script is hashed by
// SipHash-2-4 with the key of the block (the first 16 bytes of its merkle root),
// and the 64-bit hash is scaled down to the range
// [0, N*784931), N being the number of scripts in the block. The values are
// sorted, and the differences written as bits: a unary quotient and a 19-bit
// remainder.
//
// Because of the key, a wallet's scripts must be hashed again for every block. With
// more than a few scripts most of the time is hashing, with fewer it is decoding. So
// the package is made around these two loops:
//
//   - A [Query] is made once from the scripts of the wallet, and holds them
//     padded to the words of SipHash, grouped by their number of words, in
//     blocks of eight scripts with their words side by side: one load fills a
//     vector with the same word of eight scripts.
//   - [Matcher.Match] decodes the small filter once into sorted values and a
//     table with a mark for the high bits of each, then streams the scripts through:
//     hash, scale, look for a mark. Only the few that hit one are looked up among
//     the values. The scripts are never sorted.
//
// A Query is immutable and may be shared by any number of goroutines. A Matcher
// is the scratch memory of one goroutine; matching allocates nothing once the
// scratch has grown to the largest filter seen.
//
// The package is pure: no goroutines, no I/O, no clock and no globals.
//
// # Kernels
//
// The two loops exist in plain Go and, for amd64, in assembly for AVX2 and for
// AVX-512; the best that the processor has is taken when a Query is made. The
// assembly is written by the program in folder asm (go generate), a module of
// its own. All kernels are compared, by tests and by fuzzing, to each other, to
// the reference SipHash and to dcrd's gcs. They are fast for these reasons:
//
//   - Sixteen scripts at a time with AVX-512, eight with AVX2, as two interleaved
//     streams of vectors. The half of the first round that depends only on the key
//     is done once a filter, and v0 is not needed for the end of the hash.
//   - A mark is a byte, the number of the filter: a table is erased once in 255
//     filters, and marking one value need not wait for another.
//   - Marks are looked for in general registers, while the vectors hash the next
//     scripts. A step has no branch for each script: a bit for each is collected,
//     and only a step with a bit set stops.
//   - Where a value starts depends on the value before, so decoding is a chain.
//     The window of the bit stream stays in registers, inverted, so that one
//     LZCNT gives the quotient; it is filled up every two values from bytes
//     loaded one step ahead. With AVX-512 all else (remainders, sums) is done
//     in vectors, eight values at a time.
//   - The grain of the marks depends on the number of scripts: for few scripts it is
//     not worth loading a large table into the caches; many scripts seldom hit a mark
//     of a fine table.
//
// One core of an AMD EPYC (Zen 4), nanoseconds a script of 25 bytes, undisturbed
// (the least of many short runs), filters of 90 values (241 bytes):
//
//	scripts    MatchAny   Go       AVX2    AVX-512
//	1          1459       347      216     193
//	5          465        82       44      38
//	20         175        33       16      12.5
//	100        92         22       7.9     5.7
//	1000       86         18       6.0     3.9
//	10,000     104        18       5.8     3.9
//	100,000    127        18       5.9     3.8
//	200,000    134        18       6.0     3.9
//
// These were tried and gave too little: a bitmap in place of the marks (290 to 254 ns
// for 20 scripts: its words are read and written for each value, or joined by vector),
// gathering by vector (3.8 to 3.6 ns), three streams of vectors (4.0 to 3.8), BEXTR for
// the remainders (nothing), windows handed to the vectors through memory (twice the
// time: the load waits for the stores), and several blocks against one part of the
// query: scripts are read at 8 GB/s, which the caches and the memory sustain, so a
// query of 200,000 scripts costs little more a script than one of 1000. Go's own
// vectors (simd/archsimd) need a GOEXPERIMENT.
package filters
