//go:build !unix

package main

import "os/exec"

// ownGroup does nothing where there are no process groups: the command alone
// ends with its context.
func ownGroup(*exec.Cmd) {}
