// Package dcrwallet has nothing but a go.mod of its own: it says which dcrwallet
// TestJudge builds, and keeps what that needs out of the product's go.mod.
package dcrwallet
