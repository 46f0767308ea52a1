// Package dbfile opens bbolt files that may be damaged, and those that change under
// a running program.
//
// bbolt trusts what it reads: led astray by a page, it panics, ends the process in
// ways that can't be caught (a stack or a list without end), or writes where it should
// not. So [Open] checks the pages before bbolt sees them, and what goes wrong later is
// an error, never a panic: whatever bbolt or our own code stumbles over in a read or a
// write ends the use of the file, and all that is left to do is [File.Close], which
// returns.
//
// What the values mean, and whether they are right, is the business of those who have
// written them.
package dbfile
