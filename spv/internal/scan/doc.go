// Package scan tests blocks for the scripts of many wallets in one pass over their
// filters.
//
// A wallet wants some blocks tested for its scripts: a [Request]. The [Table] holds the
// requests of all wallets. Its next [Pass] is over all of them: each filter is read and
// decoded once, whatever the number of wallets, and tested for the scripts of all at
// once; only where one of them is found, which is rare, each wallet's own scripts are
// tested to see whose it is. What a pass has found is handed out as deliveries: each
// wallet gets its own blocks, and nothing while it has none until all of its request is
// tested.
//
// No wallet is tested for the same block twice. One whose scripts are found somewhere
// leaves the table until it has been told, since that may change what it wants, and
// comes back with a request of its own. The others go on without it, and so do all when
// one of them does not answer.
//
// The package knows nothing of peers, files or time, and starts no goroutines but those
// that match.
package scan
