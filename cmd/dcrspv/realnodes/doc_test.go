// Package realnodes tests the dcrspv program against the real thing: dcrd
// nodes on simnet, with a miner that makes blocks with real votes, reorganises
// the chain and disapproves blocks.
//
// It has no code of its own but tests. The network they talk to is driven by a
// program in the folder simnet, a Go module of its own, so that dcrd and what
// dcrd needs stay out of the product's go.mod; package driver talks to it. The tests build three programs
// (dcrd, the simnet driver, dcrspv), start them on loopback in temporary
// folders, and compare what the light client says about its addresses with
// what a walk over all blocks of a node says.
//
// TestJudge compares with another wallet instead: a real dcrwallet, pinned by the
// module in the folder dcrwallet, lives on such a network, and after each step the
// light client must say of its keys what it says itself. Files judge_expect_test.go and judge_own_test.go have the
// definitions, and where dcrwallet's differ from ours.
package realnodes
