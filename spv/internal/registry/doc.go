// Package registry is what the client knows about peers: addresses, heights
// they claim and heights they have proved, how well they have served, what they
// did wrong, who may be dialed, who may be asked and who has to go.
//
// It is one plain data structure with one owner. It opens no connection, reads
// no clock, starts no goroutine and takes no lock: the time is an argument of
// every method that depends on it, and randomness is handed to New. The owner
// reports what has happened (Connected, Success, Strike ...) and asks what to
// do next (NextDial, Ahead, Serving, NextEviction ...). Who else wants to know
// who is connected subscribes; a Subscription is the only part that other
// goroutines may use, and nothing ever waits for its reader.
//
// # Nothing is latched
//
// A score, a ban, a cooldown is computed from counters and times whenever it is
// asked for. So a ban ends at its instant and a penalty fades without anybody
// having to run, and no answer is ever stale. What is returned is a copy that
// shares no memory with the registry.
//
// # Four separate judgements
//
//   - Reachability. A failed dial moves the address back in the dial order
//     (dial.go) and says nothing about its data.
//   - Service. Answers and failures make a score from 0 to 100 (score.go) and
//     a pause per kind of data (cooldown.go); so does a crawl (rate.go). Only
//     data that passed verification counts as an answer; what a peer announces
//     never does. Below 20 nothing is asked of a peer, until it is given
//     another chance at 30, unless nobody else is left.
//   - Credit. A peer's claim to be at some height counts until it is asked for
//     the blocks and does not deliver (claim.go).
//   - Conduct. Breaking the rules costs points that fade by one a minute; 100
//     are a ban for 24 hours, kept by IP address, over restarts (ban.go).
//
// The last five disconnects, pauses and bans of an address are kept with it, each
// with its end and reason (history.go).
//
// # Who is asked
//
// Candidates are the connected peers that say they are high enough, are not
// banned, not cooling down for this kind of data and not below the floor. Of
// those, the ones that have proved the most come first, then the best score,
// then the fastest; equals are in random order, so that nobody can arrange to
// be first (select.go). When there are none, those come who are connected and only
// rest (Resting, RestingAhead): no pause and no score leaves nobody to ask. A pause
// ends with its reason: the peer has delivered that kind of data since, or the
// blocks it was about have left the best chain.
//
// # Who is connected
//
// A peer is idle, being dialed or connected (lifecycle.go), and only Dialing
// leads to Connected: there are never two connections to one address. The
// slots are filled so that no one hand fills them all:
//
//   - one connection of each network group (group.go);
//   - 3 of 8 slots are kept for peers that send filters in batches (quota.go);
//   - while all are taken, one more is used every five minutes to try out a
//     peer that promises to be much better than the worst, or that has not been
//     met yet; then the worst goes (evict.go, useless.go). The owner may want that
//     sooner, and chooses who goes itself (TryStranger).
//
// Who was of no use or has a low score is not dialed for a while, unless nobody else
// is left (Relent in useless.go).
//
// Persistent peers are the user's choice. They are exempt from all three, from
// the floor and from being forgotten; not from bans.
//
// # Over restarts
//
// Marshal saves addresses, service, conduct and history (persist.go). Heights,
// connections and cooldowns are true only while the program runs and are not
// saved. Nothing that a newer version has written is overwritten.
package registry
