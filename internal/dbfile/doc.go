// Package dbfile opens bbolt files that may be damaged, and those that change under
// a running program.
//
// bbolt trusts the file: a damaged page makes it panic, ends the process in ways that
// can't be caught (a stack or a list without end), or makes it write in the wrong place.
// So [Open] checks the pages before bbolt sees them. A later panic, of bbolt or of our
// own code, in a read or a write becomes an error that ends the use of the file. All
// that is left to do then is [File.Close], which returns.
//
// What the values mean, and whether they are right, is up to the packages that have
// written them.
package dbfile
