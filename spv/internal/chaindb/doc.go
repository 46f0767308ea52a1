// Package chaindb keeps the headers of the best chain and the committed filters
// of its blocks on disk, in one file.
//
// The file is a cache. Everything in it was verified before it was written, and can be
// fetched and verified again. So it can be deleted, and copied to another machine.
//
// # What is not believed
//
// What is read is checked against a checksum (value.go), and headers against the one
// that follows. What is wrong is a [Damage], and [DB.Mend] drops that part, for a sync to
// fetch again. A file that this installation did not write itself, or that was changed
// while it was closed, is not trusted (seal.go): [DB.Adopt] verifies all of it before it
// is used. A file of which the pages make no sense is an ErrCorrupt that is no Damage.
//
// # What is kept
//
// One chain, genesis to tip, without gaps. Filters of any subset of its heights:
// a wallet born in mid-chain needs none below its birthday, the birthday may move
// down later, and ranges may arrive in any order. [DB.Filters] says which are
// held. A reorganization is [DB.ReplaceHeaders] with the new branch: it drops the
// headers and the filters of the old one in the same step. And there are blobs,
// small state of others that is not worth a file of its own.
//
// Every write is one transaction and is synced to disk when the call returns. A
// program killed at any moment finds the old state or the new one.
//
// # The file
//
// The file is a bbolt database. bbolt is at its best with few large values in
// ascending order of keys, and at its worst with many small ones under random
// keys such as hashes. So blocks are kept in segments of 250 by height:
//
//	bucket   key                  value
//	meta     "version"            layout version, now 2
//	         "network"            wire.CurrencyNet
//	         "id"                 16 random bytes, other ones in each file
//	         "tip"                height, hash (32 bytes)
//	         "work"               of the chain up to the tip, 32 bytes
//	         "filters"            first and last height of each span that is held
//	         "severed"            as a rule missing; see state.go
//	headers  segment (height/250) up to 250 headers of 180 bytes, ascending
//	filters  segment (height/250) up to 250 records, ascending: the length plus one
//	                              as uvarint, then the filter; 0: not held. Records
//	                              missing at the end are not held; a segment that
//	                              holds nothing is missing.
//	blobs    name                 bytes
//
// Numbers are big endian and of 32 bits if nothing else is said. Each value but the first
// two ends with its checksum, of 32 bits. A header is found
// by arithmetic; there is no index by hash, as a header holds its height.
//
// # Cost
//
// The file is some 5 % larger than the headers and filters in it, plus up to
// 128 KB of space for growth. Writing goes at the speed of the disk if a call brings
// about 2000 headers or filters: every call costs two or three syncs of the disk,
// and rewrites the leaves it begins and ends in. Filters in batches of 100, as they
// come from peers, take five times as long and leave a file 15 to 30 % larger than
// its contents; collect 1000 to 2000.
//
// Reading is memory mapped and copies nothing: see [DB.Blocks].
package chaindb
