// Package addrbook keeps the addresses of Decred nodes that peers and seeders name, in
// peers.json, and picks the next one to try.
//
// It is dcrd's own address manager (addrmgr) with host:port strings in place of its
// types. It is used because of what addrmgr does against a peer that names thousands of
// its own nodes. An address goes into one of 1024 buckets, chosen by its network group
// (/16 for IPv4, /32 for IPv6), the group of its source, and a secret key. A bucket
// holds 65 addresses, and a pick draws the bucket first. So all addresses of one group
// from sources of one group share one bucket, however many they are, and all addresses
// from one group of sources have 64.
//
// Addresses that we were connected to are in other buckets, and every second pick is
// from those.
//
// Only IP addresses are kept. The file format of addrmgr has no place for onion
// addresses and names: they are dropped. Addresses that addrmgr calls not routable
// (private, loopback, documentation) are dropped too.
package addrbook
