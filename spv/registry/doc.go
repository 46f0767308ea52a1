// Package registry is what the client knows about peers: addresses, heights
// they claim and heights they have proved, how well they have served, what they
// did wrong, who may be dialed and who may be asked.
//
// It is one plain data structure with one owner. It opens no connection, reads
// no clock, starts no goroutine and takes no lock: the time is an argument of
// every method that depends on it, and randomness is handed to New. The owner
// reports what has happened (Connected, Success, Strike ...) and asks what to
// do next (NextDial, Ahead, Serving ...).
//
// # Nothing is latched
//
// A score, a ban, a cooldown is computed from counters and times whenever it is
// asked for. So a ban ends at its instant and a penalty fades without anybody
// having to run, and no answer is ever stale.
//
// # Four separate judgements
//
//   - Reachability. A failed dial moves the address back in the dial order
//     (dial.go) and says nothing about its data.
//   - Service. Answers and failures make a score from 0 to 100 (score.go) and
//     a pause per kind of data (cooldown.go). Only data that passed
//     verification counts as an answer; what a peer announces never does.
//   - Credit. A peer's claim to be at some height counts until it is asked for
//     the blocks and does not deliver (claim.go).
//   - Conduct. Breaking the rules costs points that fade by one a minute; 100
//     are a ban for 24 hours, kept by IP address, over restarts (ban.go).
package registry
