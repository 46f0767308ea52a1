// Package addrbook remembers addresses of Decred nodes that were heard of, in
// peers.json, and picks which one to try next.
//
// It is dcrd's own address manager (addrmgr) with host:port strings in place of
// its types. What matters here is what addrmgr does against a peer that tells
// of thousands of nodes that are all its own: an address goes into one of 1024
// buckets, chosen by its network group (/16 for IPv4, /32 for IPv6) and the
// group of whoever told of it, with a secret key. A bucket holds 65 addresses,
// and a pick draws the bucket first. So all addresses of one group that one
// group told of share one bucket, however many they are, and everything that
// one group tells of has 64.
//
// Addresses that were connected to live in buckets of their own, and every
// second pick is from there.
//
// Only IP addresses are kept. The file format of addrmgr has no place for onion
// addresses, nor for names: they are dropped. Those that addrmgr calls not
// routable (private, loopback, documentation) are dropped too.
package addrbook
