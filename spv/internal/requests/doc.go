// Package requests decides who is asked for what. It knows which requests are
// open, which peer is at which of them and since when, and how fast each peer
// has answered; from that it tells what to ask of whom now (Assign), and when to
// look again (Deadline).
//
// It is one plain data structure with one owner. It opens no connection, reads
// no clock and starts no goroutine: the owner hands in the time and who is able
// to serve a request, sends what Assign returns, and reports how it ended.
//
// # One peer at a time, unless it is late
//
// A request is at one peer at a time, so everything is fetched once. It is late
// when others show that it could be answered sooner: a peer's own answers are
// never the measure of that peer, so that nobody can train us to wait.
//
//   - A peer that has proved itself and has room takes over what another one has
//     held for more than twice the time that it takes itself.
//   - While nobody who may take it over is known to be fast, a request that is held
//     for half a second goes to peers of unknown pace too, as many as were asked
//     before: one, two, four, and so on. If all who hold it are late it goes to
//     anybody else, those who rest as well. However many are silent or slow, the one
//     that is not is reached after a few steps.
//
// On a line that is slow for all, each of them seems late beside an answer that came when
// there was less to do. While what comes in is about as much as the fastest answer of
// those who are connected has shown to be possible, and little, who delivers is given
// more time (line.go). Who is delivering something else is not tried to learn how fast
// it is.
//
// So the copies of a request that is not answered are bounded by the number of
// peers able to serve it, and a request that is answered in time has one copy.
//
// # Who is asked
//
// The peer that is expected to be done first: by the time that it takes for an
// answer, and by what it has to do already. A peer that has proved nothing has
// one request at a time. One that is late has one more than those, so that a
// request that it had a reason to ignore does not keep it from serving others.
package requests
